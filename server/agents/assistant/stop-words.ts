/**
 * Words that say little of what a text is about: courtesy, helpers, and days and dates, which are read elsewhere.
 * Romanian first, then English.
 */
export const stopWords: ReadonlySet<string> = new Set(
  `a abia acum afla aflu ai aici ajung ajunge al ale alta alte am amiaza an ani anul anunt anunta anuntat apoi ar are
  as asa asta astazi astept ati atunci au avea aveam avem aveti avut azi ba bine bun buna buni ca cam cand care cat
  cata cate caut cauta caz cazul ce cea cei cel cele ceva cheama chiar ci cine cineva contine cred cu cui cum cumva
  curios da daca dar de deci deja deoarece desi despre detalii dimineata din dintre doamna doar domnul doresc dori
  dorim doriti duminica dumneavoastra dupa e ea ei el ele era eram este esti eu exista fac faca face facem faceti
  facut fara fel fi fie fiind fost gasesc gasi gonna hai hei hello i ia iar ii il im imediat imi in inainte inca
  informatii insa inseamna intampla interesa interesat intr intre intreb intrebare intrebari isi iti joi joia la las
  lasa lasam le lets lor lucru lucruri lui luna lunea luni ma macar mai maine martea marti masa mea mei mele merg
  merge mergem mers mersi meu mi miercurea miercuri mult multe multumesc multumim ne never nevoie ni nici niste
  noastra noastre noi nostru nu numai numele numesc o oare odata oferiti ok okay ora ore orele ori oricand pana
  patesc patim pe pentru peste placea placut poate poimaine posibil pot pranz pranzul prea prin pt ptr pun pune putea
  putem puteti ramane repede rog s sa salut salutare sambata sambete saptamana saptamani sau se seara si spre spune
  spuneti sta stau stiam stii stiti stiu sub sunt suntem sunteti ta tau te theres ti timp timpul tine toata tot
  trebui trebuie trece trecut tu un una unde unei unor unui urmatoare urmatoarea v va vad vedea veni venim vi vii
  viitoare viitor vin vine vinerea vineri vino voastra voi voie vom vor vostru vrea vreau vrei vrem vreo vreti vreun
  wanna youre zi zile zilei zilele ziua
  able about after afternoon ain all also altul am an and another any anybody anyone anything are aren around as ask
  at be been before but by can cannot cant come coming could couldn d data date day days did didn do does doesn don
  done dont earliest else evening ever for fri friday from get give go going good got had has have haven he hello her
  hers hey hi him his how i id if ill im in is isn it its ive just know later let like ll long look looking m make
  may me might mine mon monday month morning much my need needs next no noon not now of ok on one or other our out
  over please pls poti re really s sat saturday saw see she should so some somebody someone something somewhere soon
  still sun sunday t tell than thank thanks that thats the their them then there these they thing think this those
  thu thursday time to today tomorrow tonight too tue tues tuesday unul up us ve very want wanted was wasn we wed
  wednesday week weeks well were what whats when whens where which while who will with won wont would wouldn year
  years yes yet you your`.split(/\s+/),
);

/** Stop words that are forms of one another, or as good as: who may, who can and who could all ask for the same. */
export const formsOfStopWords: ReadonlyMap<string, string> = new Map(
  `pot poate poti puteti putea putem can could able might
  vreau vrea vrei vreti vrem dori doresc dorim doriti want wanted would like placea
  trebuie trebui need needs nevoie
  ma mi imi m me my mine mea meu mei mele
  veni vin vino venim ajung ajunge come coming mergem
  va v vi voi voastra vostru dumneavoastra you your
  o un unul una vreo vreun
  a an any
  nu not no never nici
  este e sunt is are am
  cineva somebody someone anybody anyone
  alta alte altul another other
  zi ziua zile data day days date
  ora ore orele time`
    .split("\n")
    .flatMap((line) =>
      line
        .trim()
        .split(" ")
        .map((word, _, [first = ""]): [string, string] => [word, first]),
    ),
);
