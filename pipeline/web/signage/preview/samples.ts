// Invented people and places, in each language of the screen.
import type { Language } from "../../enrol/contract.ts";

export interface Sample {
  /** The first is greeted alone, and with the others as a family. */
  names: [string, string, string, string];
  sport: string;
  otherSport: string;
  arena: string;
  pool: string;
  stadium: string;
  square: string;
  lake: string;
  hall: string;
  titles: [string, string, string];
  otherTitle: string;
  food: string;
  rest: string;
  train: string;
  towards: string;
}

export const SAMPLES: Record<Language, Sample> = {
  en: {
    names: ["Minseo", "Jun", "Harper", "Grandpa Theo"], sport: "Short track", otherSport: "Swimming",
    arena: "Ice Arena", pool: "Aquatics Centre", stadium: "Main Stadium", square: "Festival Square", lake: "Mirror Lake", hall: "Hall 2 · Block C",
    titles: ["Women’s 1500 m, semi-finals", "Mixed relay, final", "Men’s 500 m, quarter-finals"], otherTitle: "Women’s 200 m butterfly, final",
    food: "Haenyeo Noodles", rest: "Lakeside lawn", train: "Train to the city", towards: "Central",
  },
  ko: {
    names: ["민서", "서준", "하은", "할아버지 영호"], sport: "쇼트트랙", otherSport: "수영",
    arena: "아이스 아레나", pool: "수영장", stadium: "주경기장", square: "축제 광장", lake: "거울 호수", hall: "2관 · C구역",
    titles: ["여자 1500 m 준결승", "혼성 계주 결승", "남자 500 m 준준결승"], otherTitle: "여자 접영 200 m 결승",
    food: "해녀 국수", rest: "호숫가 잔디밭", train: "시내행 열차", towards: "중앙역",
  },
  zh: {
    names: ["敏瑞", "俊杰", "晓雨", "爷爷 国强"], sport: "短道速滑", otherSport: "游泳",
    arena: "冰上运动馆", pool: "游泳中心", stadium: "主体育场", square: "庆典广场", lake: "镜湖", hall: "2 号馆 · C 区",
    titles: ["女子 1500 米半决赛", "混合接力决赛", "男子 500 米四分之一决赛"], otherTitle: "女子 200 米蝶泳决赛",
    food: "海女面馆", rest: "湖畔草坪", train: "开往市区的列车", towards: "中央站",
  },
  fr: {
    names: ["Camille", "Jules", "Zoé", "Papi Émile"], sport: "Patinage sur piste courte", otherSport: "Natation",
    arena: "Patinoire", pool: "Centre aquatique", stadium: "Grand stade", square: "Place des fêtes", lake: "Lac Miroir", hall: "Salle 2 · Bloc C",
    titles: ["1500 m femmes, demi-finales", "Relais mixte, finale", "500 m hommes, quarts de finale"], otherTitle: "200 m papillon femmes, finale",
    food: "Nouilles Haenyeo", rest: "Pelouse du lac", train: "Train vers la ville", towards: "Gare centrale",
  },
  es: {
    names: ["Valentina", "Mateo", "Lucía", "Abuelo Andrés"], sport: "Patinaje en pista corta", otherSport: "Natación",
    arena: "Palacio de hielo", pool: "Centro acuático", stadium: "Estadio principal", square: "Plaza del festival", lake: "Lago Espejo", hall: "Sala 2 · Bloque C",
    titles: ["1500 m femenino, semifinales", "Relevo mixto, final", "500 m masculino, cuartos de final"], otherTitle: "200 m mariposa femenino, final",
    food: "Fideos Haenyeo", rest: "Césped del lago", train: "Tren a la ciudad", towards: "Central",
  },
  ar: {
    names: ["ليلى", "يوسف", "سلمى", "الجد إبراهيم"], sport: "التزلج السريع", otherSport: "السباحة",
    arena: "صالة الجليد", pool: "المركز المائي", stadium: "الملعب الرئيسي", square: "ساحة الاحتفال", lake: "بحيرة المرآة", hall: "القاعة 2 · القسم ج",
    titles: ["1500 م سيدات، نصف النهائي", "التتابع المختلط، النهائي", "500 م رجال، ربع النهائي"], otherTitle: "200 م فراشة سيدات، النهائي",
    food: "مطعم هينيو للنودلز", rest: "عشب البحيرة", train: "قطار المدينة", towards: "المحطة المركزية",
  },
};

/** Names and texts as long and as odd as any. */
export const LONG = {
  name: "Maximiliane Wolkenstein-Brzęczyszczykiewicz von und zu Hohenlohe-Langenburg",
  sport: "Modern pentathlon and laser run, mixed relay of nations",
  title: "Qualification round of the women’s heptathlon, second group, javelin throw and 800 metres",
  venue: "Olympic and Paralympic Park, Northern Multi-Purpose Indoor Sports Hall",
  place: "Upper tier, Block 214 West, Row 47, enter by stairway 12 only",
};
