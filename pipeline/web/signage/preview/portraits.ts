// Drawn people: nobody's face.

interface Drawn {
  back: [string, string];
  skin: string;
  hair: string;
  shirt: string;
  /** Which hair; the last covers it. */
  style: "long" | "short" | "grey" | "bun" | "scarf";
  glasses?: boolean;
  beard?: boolean;
}

const PEOPLE: readonly Drawn[] = [
  { back: ["#5b8fc4", "#2c4f7a"], skin: "#dba57c", hair: "#33211a", shirt: "#e2574c", style: "long" },
  { back: ["#6aa98f", "#2d5f57"], skin: "#c98d63", hair: "#1f1715", shirt: "#f0b13c", style: "short" },
  { back: ["#c98a5f", "#7a4630"], skin: "#8a5a3c", hair: "#17100e", shirt: "#4fb0a5", style: "bun" },
  { back: ["#7d84b8", "#3b426f"], skin: "#e6b795", hair: "#d9d6cf", shirt: "#55688f", style: "grey", glasses: true, beard: true },
  { back: ["#88a3b5", "#3f5a6c"], skin: "#d19a70", hair: "#2f6f8f", shirt: "#24506b", style: "scarf" },
  { back: ["#a36f9c", "#573a63"], skin: "#f0c6a6", hair: "#8f4a26", shirt: "#f4efe4", style: "short" },
];

const HAIR = {
  long: (c: string) => [`<path d="M29 46c-4 20-2 34 4 40h34c6-6 8-20 4-40z" fill="${c}"/>`, `<path d="M28 50c-5-28 10-37 23-37 15 0 25 10 21 37-2-13-6-19-11-22-8 6-19 8-26 8-4 4-6 8-7 14z" fill="${c}"/>`],
  short: (c: string) => ["", `<path d="M28.500 46c-3-24 8-33 22-33s25 9 21 33c-1-8-3-13-6-16-10 2-24 1-30-1-4 4-6 9-7 17z" fill="${c}"/>`],
  grey: (c: string) => ["", `<path d="M28.500 48c-3-20 6-31 21.500-31s25 11 21.500 31c-1-8-3-15-7-19-9-3-20-3-29 0-4 4-6 11-7 19z" fill="${c}"/>`],
  bun: (c: string) => [`<circle cx="50" cy="13" r="9" fill="${c}"/>`, `<path d="M29 47c-4-24 8-33 21-33s25 9 21 33c-3-13-8-19-21-20-13 1-18 7-21 20z" fill="${c}"/>`],
  scarf: (c: string) => [`<path d="M24 52c-2-30 12-41 26-41s28 11 26 41c0 16 2 26 6 34H18c4-8 6-18 6-34z" fill="${c}"/>`, `<path d="M28 50c-2-26 9-34 22-34s24 8 22 34c-1-18-10-25-22-25s-21 7-22 25z" fill="${c}"/>`],
};

function drawing({ back, skin, hair, shirt, style, glasses, beard }: Drawn): string {
  const [behind, before] = HAIR[style](hair);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="320" height="320"><defs><linearGradient id="g" x2="0" y2="1"><stop stop-color="${back[0]}"/><stop offset="1" stop-color="${back[1]}"/></linearGradient></defs>` +
    `<rect width="100" height="100" fill="url(#g)"/><circle cx="84" cy="18" r="26" fill="#ffffff14"/><circle cx="10" cy="70" r="30" fill="#ffffff0d"/>${behind}` +
    `<path d="M8 112c0-26 16-34 42-34s42 8 42 34z" fill="${shirt}"/><path d="M42 66h16v14c0 5-16 5-16 0z" fill="${skin}"/><path d="M42 72c4 5 12 5 16 0v4c-4 5-12 5-16 0z" fill="#0002"/><ellipse cx="50" cy="49" rx="20" ry="24" fill="${skin}"/>` +
    `${beard ? `<path d="M30.500 54c1 14 9 22 19.500 22s18.500-8 19.500-22c-4 4-8 5-12 3.500q-7.500-3-15 0c-4 1.500-8 .500-12-3.500z" fill="${hair}"/>` : ""}${before}` +
    `<ellipse cx="42.500" cy="49" rx="2.300" ry="2.700" fill="#231611"/><ellipse cx="57.500" cy="49" rx="2.300" ry="2.700" fill="#231611"/><circle cx="43.300" cy="48" r=".8" fill="#fff"/><circle cx="58.300" cy="48" r=".8" fill="#fff"/>` +
    `<path d="M38 43.500q4.500-2.500 8.500-.5M53.500 43q4.500-2 8.500.5" stroke="#33211a" stroke-width="1.700" fill="none" stroke-linecap="round"/><path d="M49.500 50c0 3-1.500 4.500-.5 6h2.500" stroke="#0003" stroke-width="1.400" fill="none" stroke-linecap="round"/>` +
    `<path d="M42 60q8 8.500 16 0z" fill="#fff" stroke="#8f4636" stroke-width="1.600" stroke-linejoin="round"/><circle cx="37" cy="56.500" r="3.400" fill="#e58a72" opacity=".45"/><circle cx="63" cy="56.500" r="3.400" fill="#e58a72" opacity=".45"/>` +
    `${glasses ? '<g fill="#ffffff22" stroke="#2b2b33" stroke-width="1.300"><circle cx="42.300" cy="49" r="6"/><circle cx="57.700" cy="49" r="6"/><path d="M48.300 48.500h3.400"/></g>' : ""}</svg>`
  );
}

/** A drawn portrait as the JPEG that a box would send, base64. */
export async function portrait(which: number): Promise<string> {
  const drawn = PEOPLE[which % PEOPLE.length] as Drawn;
  const url = URL.createObjectURL(new Blob([drawing(drawn)], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 320;
    canvas.height = 320;
    canvas.getContext("2d")?.drawImage(image, 0, 0, 320, 320);
    return canvas.toDataURL("image/jpeg", 0.9).split(",")[1] ?? "";
  } finally {
    URL.revokeObjectURL(url);
  }
}
