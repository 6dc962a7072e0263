// Icons as strokes on a 24 by 24 grid: a kiosk has no emoji font.
import { svg } from "./dom.ts";

const PATHS = {
  athletics: ["M14.5 5.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4", "M5.5 10.5 9 7.2l4 .6-2.6 5.4 3.6 2.6-.6 5.7", "M10.4 13.2 8.6 17l-4.6.6", "M13 7.8l2 3.4 3.6.6"],
  football: ["M12 21.5a9.5 9.5 0 1 0 0-19 9.5 9.5 0 0 0 0 19", "m12 7.6 4.2 3-1.6 5H9.4l-1.6-5z", "M12 7.6V2.6M16.2 10.6l4.8-1.5M14.6 15.6l3 4M9.4 15.6l-3 4M7.8 10.6 3 9.1"],
  swimming: ["M18 9.4a2 2 0 1 0 0-4 2 2 0 0 0 0 4", "M5 13.2 10.6 7 14 12.6", "M2 16.6c1.7 0 1.7-1.2 3.3-1.2s1.7 1.2 3.4 1.2 1.6-1.2 3.3-1.2 1.7 1.2 3.3 1.2 1.7-1.2 3.4-1.2 1.6 1.2 3.3 1.2", "M2 20.6c1.7 0 1.7-1.2 3.3-1.2s1.7 1.2 3.4 1.2 1.6-1.2 3.3-1.2 1.7 1.2 3.3 1.2 1.7-1.2 3.4-1.2 1.6 1.2 3.3 1.2"],
  cycling: ["M5.5 20a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4", "M18.5 20a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4", "M5.5 16.3 9 9.6h6.4l3.1 6.7M9 9.6l3 6.7 3.4-6.7M9 9.6 8.2 7.4H6.4M15.4 9.6l-.8-3.4h2.8"],
  basketball: ["M12 21.5a9.5 9.5 0 1 0 0-19 9.5 9.5 0 0 0 0 19", "M12 2.5v19M2.5 12h19", "M5.3 5.3c3.7 3.7 3.7 9.7 0 13.4M18.7 5.3c-3.7 3.7-3.7 9.7 0 13.4"],
  volleyball: ["M12 21.5a9.5 9.5 0 1 0 0-19 9.5 9.5 0 0 0 0 19", "M12 12c-1-4 0-7.500 2.600-9.100M12 12c4-1.200 7.400.200 9.200 2.600M12 12c-3 2.800-3.500 6.600-2.300 9.200", "M7.600 3.700C5.600 8 6.700 13 9.800 16M20.600 8c-4.700-.600-9 1.900-10.700 5.600M4.600 18c3.900 2.200 9.400 1.300 12.700-1.800"],
  tennis: ["M14.6 12.6c2.900-1.500 4.600-5 3.200-7.700s-5.200-3.300-8.100-1.800-4.600 5-3.200 7.700 5.200 3.300 8.100 1.800", "M8.300 12.400 4.400 21", "M7 7.500l9.800 2M9 4l3 9M14.500 3.500l-6.500 8", "M19.500 20.500a1.800 1.800 0 1 0 0-3.600 1.800 1.800 0 0 0 0 3.600"],
  skating: ["M6 2.500v7.300l7.500 2.700c2.200.800 3.700 2 3.700 4.500H5.200L4.800 9", "M6.300 7h3.200M6.300 4.500h3.200", "M3.500 20.800h14.700c1.600 0 2.600-1 2.600-2.300M7.500 17v3.800M14.500 17v3.800"],
  gymnastics: ["M12 6.200a1.900 1.900 0 1 0 0-3.800 1.900 1.900 0 0 0 0 3.800", "M3.500 5.500 9 9.200h6l5.500-3.700", "M9 9.200l.800 5.800L4.500 21M15 9.200l-.800 5.800 5.300 6"],
  combat: ["M4 3.500 15.500 15M20 3.500 8.500 15", "M6 17l-2.500 3.500M18 17l2.500 3.500", "M4.800 13.800l5 5M19.200 13.800l-5 5"],
  rowing: ["M2 16.500h20l-2.500 3.500h-15z", "M9.500 7.500a1.800 1.800 0 1 0 0-3.600 1.800 1.800 0 0 0 0 3.600", "M9 16.500l-.500-6.500 5 2.500M3 9l17 9"],
  weights: ["M6.500 6.500v11M3.500 8.500v7M17.500 6.500v11M20.500 8.500v7M6.500 12h11M1.500 12h2M20.500 12h2"],
  medal: ["M8 2.500l4 7 4-7", "M12 21.500a6 6 0 1 0 0-12 6 6 0 0 0 0 12", "m12 12.300 1 2.100 2.300.3-1.700 1.600.4 2.300-2-1.100-2 1.100.4-2.300-1.700-1.600 2.300-.3z"],
  pin: ["M12 21.500c4.700-4.700 7-8.300 7-11.500a7 7 0 0 0-14 0c0 3.200 2.300 6.800 7 11.500", "M12 12.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5"],
  person: ["M12 12a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9", "M3.500 21.500c.500-4.500 4-7 8.500-7s8 2.500 8.500 7"],
  camera: ["M3 7.500h11.500v9H3zM14.500 11l6.500-3.500v9L14.500 13z"],
  eye: ["M2 12c2.500-4.500 6-6.500 10-6.500s7.500 2 10 6.500c-2.500 4.500-6 6.500-10 6.500S4.500 16.500 2 12", "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6"],
  walk: ["M13 5.400a1.900 1.900 0 1 0 0-3.800 1.900 1.900 0 0 0 0 3.800", "M8.500 12.500 10 8.600l3-1.100 1.700 3.300 3.300 1.400", "M12.800 8.200 11.500 14l3 3 .800 5M11.400 14.200 10 18l-3 4"],
  key: ["M8 16.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9", "M12.500 12H22M18.500 12v3.500"],
} as const;

export type IconName = keyof typeof PATHS;

/** An icon in the colour of the text around it. */
export function icon(name: IconName, classes = "icon"): SVGSVGElement {
  const strokes = PATHS[name].map((d) => svg("path", { d }));
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: classes, fill: "none", stroke: "currentColor", "stroke-width": "1.8", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" },
    ...strokes,
  );
}

const SPORTS: [RegExp, IconName][] = [
  [/basketball|baloncesto|basket-ball|농구|篮球|كرة السلة/i, "basketball"],
  [/volley|voley|handball|balonmano|water ?polo|배구|핸드볼|排球|手球|الطائرة|كرة اليد/i, "volleyball"],
  [/football|soccer|futsal|rugby|f[úu]tbol|축구|럭비|足球|橄榄球|كرة القدم/i, "football"],
  [/swim|diving|aquatic|surf|natation|natación|수영|다이빙|游泳|跳水|السباحة/i, "swimming"],
  [/cycl|bmx|bike|ciclis|사이클|自行车|الدراجات/i, "cycling"],
  [/tennis|tenis|b[aá]dminton|squash|p[aá]del|테니스|배드민턴|탁구|网球|羽毛球|乒乓|التنس|الريشة/i, "tennis"],
  [/skat|short track|curling|hockey|patin|스케이트|쇼트트랙|하키|速滑|滑冰|冰球|التزلج|الهوكي/i, "skating"],
  [/gymnast|gimnasia|trampolin|dance|breaking|체조|브레이킹|体操|霹雳舞|الجمباز/i, "gymnastics"],
  [/judo|yudo|fenc|escrim|esgrima|box|karate|taekwondo|wrestl|lucha|lutte|유도|펜싱|복싱|태권도|레슬링|柔道|击剑|拳击|跆拳道|摔跤|الجودو|المبارزة|الملاكمة|التايكوندو|المصارعة/i, "combat"],
  [/row|canoe|kayak|sail|aviron|canoë|voile|\bremo\b|piragü|조정|카누|요트|赛艇|皮划艇|帆船|التجديف|الشراع/i, "rowing"],
  [/weight|lifting|halt[ée]ro|역도|举重|رفع الأثقال/i, "weights"],
  [/athletic|athlétisme|atletismo|running|marathon|maratón|sprint|track|triathlon|hurdle|\d+ ?m\b|육상|마라톤|田径|马拉松|铁人三项|ألعاب القوى|الماراثون/i, "athletics"],
];

/** The icon that comes nearest to a sport's name; a medal where none does. */
export function sportIcon(sport: string): IconName {
  return SPORTS.find(([words]) => words.test(sport))?.[1] ?? "medal";
}

/** A few sports, for the screen while nobody is there. */
export const SHOWN_SPORTS: IconName[] = ["athletics", "swimming", "football", "cycling", "basketball", "tennis", "skating", "gymnastics", "volleyball", "rowing"];
