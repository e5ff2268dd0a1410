/**
 * What people ask of any business, in Romanian: messages as they are typed, between slashes. Most businesses answer some
 * of it; what one says nothing about is recognised as such.
 */
export const topicsRo = {
  hours: `
    ce program aveti / care este programul / care e orarul vostru / program / orar / program de lucru / sunteti deschisi /
    sunteti deschisi sambata / sunteti deschisi azi / este deschis duminica / e deschis acum / lucrati in weekend /
    lucrati sambata / lucrati si duminica / lucrati sambata si pana la ce ora / in ce zile lucrati /
    la ce ora deschideti / la ce ora deschideti lunea / de la ce ora deschideti dimineata / la ce ora inchideti /
    cand inchideti / cand deschideti / pana la ce ora sunteti / pana la ce ora sunteti vineri /
    pana la ce ora aveti deschis / pana la ce ora e deschis azi / pana cand lucrati vineri / pana la cat lucrati /
    pana cand va gasesc / intre ce ore sunteti deschisi / intre ce ore pot veni / de cand pana cand aveti program /
    ies de la serviciu la 6, va mai gasesc deschis / ajung dupa 18, mai e deschis / va mai prind deschis vineri la 5 /
    vinerea inchideti mai devreme / la pranz aveti pauza / aveti pauza de masa / cum lucrati in timpul saptamanii /
    in timpul saptamanii pana la cat e deschis / cat e programul sambata / cum e programul de weekend /
    dimineata de la cat se lucreaza / seara pana tarziu lucrati / se inchide mai repede vinerea /
    vinerea se inchide mai devreme / sambata se lucreaza / ies de la birou la 17, va mai prind /
    pot ajunge abia pe la 19, mai sunteti acolo / dupa munca va mai gasesc deschis / ce ore aveti in weekend /
    cat e ora de inchidere / azi pana la cat sunteti / duminica e inchis`,
  address: `
    unde sunteti / unde va aflati / unde va gasesc / unde sunteti situati / unde e cabinetul / unde este salonul /
    unde e atelierul / unde este restaurantul / care este adresa / adresa va rog / ce adresa aveti / care e adresa la $p /
    unde este $p / unde e $p / unde vine $p / pe ce strada sunteti / pe ce strada e $p / la ce numar sunteti /
    in ce zona sunteti / in ce cartier sunteti / cum ajung la voi / cum ajung la $p / cum va gasesc / cum gasesc $p /
    nu va gasesc pe harta / locatie / imi trimiteti locatia / cate cabinete aveti / cate locatii aveti /
    aveti mai multe sedii / imi dati adresa / imi spuneti adresa exacta de la $p / unde trebuie sa vin / unde vin exact /
    in ce loc sunteti / unde e mai exact clinica / langa ce sunteti / adresa completa pentru gps / ce strada si ce numar`,
  phone: `
    ce numar de telefon aveti / numarul de telefon / nr de telefon / telefon / telefonul de la $p /
    care este numarul de telefon de la $p / imi dati un numar de telefon / imi dati si mie numarul de la $p /
    la ce numar va pot suna / la ce numar sun / la ce telefon va gasesc / ce telefon are $p /
    cum va contactez la telefon / date de contact / contact / pe ce numar pot suna la $p /
    imi dati nr de telefon sa il trec in agenda / ce numar are cabinetul din $p / pe ce numar va sun /
    numarul vostru care e`,
  price: `
    cat costa $s / cat costa un $s / cat e $s / cat este un $s / cat ma costa $s / cat m-ar costa un $s la voi /
    ce pret are $s / ce pret are un $s / care e pretul la $s / pret $s / pretul pentru $s / tarif $s /
    ce tarif aveti la $s / $s pret / $s cat costa / $s, cam ce pret / $s cat e / cu cat e $s / cu cat faceti $s /
    cu cat incepe $s la voi / de la cat porneste $s / de la ce suma porneste $s / cat luati pe $s /
    cat luati pentru un $s / cat cereti pentru $s / cat iese $s / cat platesc pentru $s / cam cat ar fi $s /
    cam cat ma usureaza la buzunar $s / cati bani imi trebuie pentru $s / la ce cheltuiala sa ma astept pentru $s /
    ce suma sa pregatesc pentru $s / in jur de cat e $s / cat e taxa pentru $s / cat e manopera la $s /
    vreau sa fac $s, ce pret are / as vrea sa stiu cat costa $s / cat ma usureaza la buzunar $s /
    de la ce suma se face $s / de la ce suma pornesc $s / cat luati pt $s / ce suma platesc la $s /
    ma intereseaza doar cat costa $s / vreau doar sa stiu pretul la $s / inainte sa vin, cat e $s /
    cat e $s la voi pe o singura parte / cat imi iese $s daca vin azi / cat dau pe $s / care e costul unui $s /
    la cat se ridica $s / ce buget pentru $s / pretul unui $s / cat scoate din buzunar $s /
    am nevoie de $s, cam cat costa / cat incepe $s / vreau sa scot $s, ce pret are / cat costa si unde fac $s /
    cat e curatarea / cat cereti la $s, e scump / as vrea sa stiu pretul`,
  prices: `
    ce preturi aveti / lista de preturi / preturi / tarife / aveti o lista cu preturi / cat costa la voi /
    ce servicii oferiti / ce servicii aveti / ce faceti la voi / ce fel de tratamente faceti / ce se face la voi / meniu /
    meniul cu preturi / care sunt tarifele / unde vad preturile / cat costa serviciile voastre`,
  duration: `
    cat dureaza o programare / cat dureaza o vizita / cat dureaza o sedinta la voi / cat dureaza $s /
    cat tine o sedinta de $s / cat timp ia $s / cat timp dureaza $s / cate ore dureaza $s / cate minute dureaza /
    cam cat stau la voi / cat timp stau la voi / cat ma tineti la voi / cat timp sa imi rezerv / cat timp imi ia /
    cat ma retine / in cat timp sunt gata / in cat timp e gata $s / cat sa ma invoiesc de la munca /
    cat sta copilul la $s / intr-o ora scap / vin cu cat timp inainte / sa vin mai devreme /
    trebuie sa ajung mai devreme de ora stabilita / sa vin fix la ora sau mai din timp /
    cu cate minute inainte sa fiu acolo / cat trebuie sa stau la voi ca sa stiu cat ma invoiesc / cat ma retine vizita /
    cam cat stau in total / in cat timp termin / am parcometru, cat dureaza / pot fi gata intr-o ora /
    trebuie sa ajung mai repede daca sunt client nou / vin fix la ora sau mai din timp`,
  details: `
    ce include $s / ce contine $s / ce cuprinde $s / ce presupune $s / ce inseamna $s / in ce consta $s / cum se face $s /
    cum decurge $s / cum faceti $s / din ce e facut $s / din ce material e $s / cu ce aparat faceti $s /
    folositi microscop la $s / din cate sedinte se face $s / cate sedinte sunt la $s / din cate veniri se rezolva $s /
    intra si altceva in pretul la $s / e inclus in pret la $s sau se plateste separat / se plateste separat la $s /
    ce primesc la $s / la $s primesc si ceva in plus / la $s se face anestezie / anestezia e inclusa la $s /
    trebuie altceva inainte de $s / pot face direct $s / $s este negru sau alb / ce culoare are $s / ce imi faceti la $s /
    la ce ajuta $s / din ce material sunt $s pe care le puneti / din ce sunt facute $s / $s sunt albe sau negre /
    $s e cu laser sau cu ultrasunete / folositi ultrasunete la $s / lucrati cu microscop la $s /
    la $s intra si periaj in pret / la $s e inclus si controlul / se plateste separat anestezia la $s /
    injectia se plateste separat la $s / injectia de amortire e inclusa la $s / primesc si un plan la $s /
    la $s doar se uita sau imi spune si ce e de facut / la $s se plateste fiecare control / din cate drumuri se face $s /
    in cate sedinte e gata $s / de cate ori trebuie sa vin pentru $s / trebuie sa fac altceva inainte de $s /
    se poate $s direct sau trebuie altceva inainte / $s se plateste separat /
    mi s-a spus ca $s se taxeaza separat, e adevarat / din cate drumuri se rezolva $s /
    mi-a zis cineva ca $s se face din doua sedinte, asa e`,
  offers: `
    faceti $s / faceti si $s / aveti $s / se face $s la voi / se poate face $s la voi / oferiti $s / va ocupati de $s /
    puneti $s / pot face $s la voi`,
  pain: `
    doare $s / doare la $s / e dureros $s / este dureros un $s / ma doare daca fac $s / o sa ma doara la $s /
    simt ceva la $s / se simte ceva cand faceti $s / mi-e frica de $s / mi-e frica, doare / imi este teama ca doare $s /
    e neplacut $s / se face cu anestezie $s / se poate amorti inainte de $s / am pielea sensibila, doare $s /
    am dintii sensibili, doare $s / simt ceva cand imi faceti $s / imi e groaza de $s, se simte /
    am dintii sensibili la rece, se poate anestezie la $s / se amorteste inainte de $s / cat de tare doare $s /
    doare cand se da jos tartrul / ma va durea la $s / e cu durere $s / suporta bine copiii $s`,
  frequency: `
    cat de des trebuie facut $s / cat de des se face $s / cat de des sa vin la $s / la cat timp se face $s /
    la cat timp se repeta $s / la cate luni sa revin la $s / la cati kilometri se face $s / de cate ori pe an se face $s /
    o data pe an e destul $s / e destul o data pe an la $s / cat de rar pot face $s / cand trebuie repetat $s /
    la ce interval se schimba $s / cand vin iar la $s / cat de rar imi permit $s / fumez mult, cat de des sa fac $s /
    la cate luni vin iar pentru $s / din cat in cat timp fac $s / din cat in cat timp trebuie $s /
    e suficient $s o data la doi ani / cand ar trebui sa revin pentru $s / de cate ori fac $s intr-un an /
    cat de des se recomanda $s / la cate luni se recomanda $s`,
  longevity: `
    cat tine $s / cat rezista $s / cati ani rezista $s / cati ani tine $s / cat timp tine efectul la $s /
    cat timp ramane efectul dupa $s / cat ma tine $s / cat dureaza efectul la $s / dupa cat timp se duce $s /
    cat rezista vopseaua / cat raman albi dintii dupa $s / cat raman asa dupa $s / cat timp ma bucur de $s /
    $s cat tine daca beau cafea / beau multa cafea, cat tine $s / peste cat timp trebuie refacut $s / $s e pe viata`,
  aftercare: `
    ce fac dupa $s / ce am voie dupa $s / ce nu am voie dupa $s / pot manca dupa $s / cand pot manca dupa $s /
    dupa cat timp pot manca dupa $s / la cat timp am voie sa mananc dupa $s / am voie sa beau cafea dupa $s /
    am voie sa fumez dupa $s / pot trage o tigara dupa $s / pot bea alcool dupa $s / pot sa ma spal pe cap dupa $s /
    pot face sport dupa $s / recomandari dupa $s / de ce sa am grija dupa $s / mi-ati scos o masea azi, cand pot manca /
    am scos un dinte, pot fuma / mi-ati vopsit parul ieri, cand il pot spala / am facut $s azi, pot manca /
    am facut $s ieri, pot bea cafea / tocmai am facut $s, cand am voie sa mananc /
    mi-ati scos maseaua, cand pot sa mananc / pot sa beau o bere dupa $s / am voie la sala dupa $s /
    e voie cu apa calda dupa $s / cat timp nu mananc dupa $s / mi-e foame, cand pot manca dupa $s /
    trag o tigara dupa $s, e voie / fumatul dupa $s`,
  payment: `
    pot plati cu cardul / se poate plati cu cardul / merge cu cardul / merge cu cardul sau doar cash / acceptati card /
    luati card / primiti carduri / aveti pos / aveti pos sau numai cash / cum se plateste / cum se face plata /
    cum pot plati / pot plati cash / pot sa achit cu numerar / pot plati prin transfer bancar / pot face virament /
    pot achita prin banca / se poate plati online / pot plati cu telefonul / pot plati cu apple pay /
    ce metode de plata acceptati / card sau numerar / trebuie sa am bani cash la mine /
    n-am cash la mine, e ok cu cardul / pot trece plata pe cardul sotului /
    firma plateste din cont, merge prin ordin de plata / merge virament / firma face virament, merge /
    pot plati din contul firmei / plata prin banca se poate / trebuie neaparat cash / se accepta cardul /
    luati si card sau numai bani gheata / cu cardul merge`,
  installments: `
    se poate plati in rate / aveti rate / aveti plata in rate / pot plati in rate / pot achita in rate /
    in cate rate pot plati / cate rate pot face / ratele au dobanda / e cu dobanda la rate / rate fara dobanda /
    de la ce suma se pot face rate / pot plati pe mai multe luni / pot imparti suma in mai multe transe /
    pot sa dau banii pe bucati / pot sa dau cate putin in fiecare luna / n-am toti banii odata /
    nu am toata suma acum, se poate pe parcurs / plata esalonata / aveti finantare sau credit /
    pot da un avans si restul lunar / pot sa platesc pe bucati / nu am toti banii acum, pot plati pe rand /
    se poate achita in mai multe luni / platesc lunar cate putin / exista plata pe luni / cat de multe rate dati /
    la rate e dobanda / imparte suma pe luni`,
  publicInsurance: `
    lucrati cu casa de asigurari / aveti contract cu cas / sunteti in contract cu casa /
    decontati prin casa de asigurari / decontati ceva prin cas / deconteaza cnas ceva la voi /
    primiti bilet de trimitere / tratamente gratuite prin cas / e ceva gratis pe cardul de sanatate /
    merge cu cardul de sanatate / sunt asigurat la stat, platesc ceva / sunt pensionar, am ceva gratuit /
    aveti contract cu statul / am trimitere de la medicul de familie, o luati / ce acopera cnas la voi /
    cnas acopera ceva / sunt pensionar, imi deconteaza statul / sunt pensionara, am ceva gratis prin cas /
    platesc la cas, imi iese ceva gratuit / asigurarea de stat e valabila / casa de sanatate plateste ceva`,
  privateInsurance: `
    acceptati asigurari private / lucrati cu asigurari private / am asigurare privata /
    am o asigurare privata prin firma, o luati in considerare / am abonament medical /
    am abonament privat de la serviciu / asigurarea de la angajator e acceptata / cu ce asiguratori lucrati /
    decontati la asigurarea privata / asigurarea mea acopera ceva la voi / lucrati cu casco / lucrati cu rca /
    reparati pe casco / asiguratorul meu deconteaza la voi / ce imi deconteaza asiguratorul /
    abonamentul de la firma il luati in calcul / am abonament la o clinica privata, il acceptati /
    polita mea de sanatate e buna la voi / lucrati cu allianz sau signal iduna`,
  children: `
    tratati copii / tratati si copii / primiti copii / primiti si copii mici / de la ce varsta primiti copii /
    de la cati ani se poate / cu copilul pot veni / pot veni cu copilul / pot aduce copilul /
    baiatul meu are 4 ani, il puteti vedea / fetita mea are 5 ani, o primiti / aveti medic pentru copii /
    aveti doctor de copii / in ce zile e doctorul de copii / cand vine medicul pentru cei mici / tundeti si copii /
    vad si pe cei mici / primiti pitici / lucrati cu cei mici / vede cineva si copii la voi / fetita are 3 ani, se poate /
    baietelul meu are 4 ani, il vede cineva / la ce varsta aduc copilul prima data / in ce zi e medicul de copii /
    cand e doamna doctor de copii / doctorul pentru cei mici in ce zile vine / puteti vedea un copil /
    il puteti trata pe baiat / are cinci ani, il primiti`,
  pregnancy: `
    pot veni daca sunt insarcinata / sunt insarcinata, am voie / sunt gravida / sunt gravida, pot face $s /
    sunt insarcinata in luna a cincea, se poate / astept un bebelus, e voie sa vin / astept un copil, e sigur /
    e sigur in sarcina / e ok in timpul sarcinii / se poate in sarcina / sotia e gravida, poate face $s /
    sotia asteapta un copil, poate face $s / alaptez, pot face $s / in ce luna de sarcina se poate /
    sunt in luna a patra de sarcina, e voie / sunt in luna a treia, pot veni la dentist /
    astept un bebe si am o carie, e voie sa ma tratez / nevasta e gravida, ii faceti radiografie /
    sotia e insarcinata, e in regula sa faca poza la dinti / insarcinata fiind, pot face anestezie /
    sunt gravida, e periculos tratamentul / tratamentele in sarcina sunt sigure / sunt gravida, imi puteti face $s /
    insarcinata, pot veni pentru $s`,
  bring: `
    ce trebuie sa aduc la prima vizita / ce acte aduc / ce acte imi trebuie / ce acte sunt necesare /
    ce documente iau cu mine / ce documente trebuie / ce hartii imi trebuie / trebuie sa aduc ceva /
    trebuie sa am buletinul / imi trebuie buletinul la mine / imi trebuie cartea de identitate /
    e prima data cand vin, ce iau cu mine / vin prima data, ce trebuie sa am la mine / sa aduc analizele vechi /
    sa aduc radiografiile vechi / sa aduc reteta si medicamentele / trebuie sa vin cu ceva anume /
    ce imi trebuie la prima programare / n-am mai fost la voi, ce aduc / trebuie talonul masinii /
    am nevoie de trimitere / vin prima oara, buletinul ajunge / ajunge buletinul sau mai iau ceva /
    iau si pastilele cu mine / sa aduc cutiile de la medicamente / aduc pozele vechi la dinti /
    am radiografii de anul trecut, le aduc / cu ce acte vin prima data / ce sa am la mine cand vin`,
  parking: `
    aveti parcare / aveti loc de parcare / aveti locuri de parcare / exista parcare / este parcare in zona /
    unde parchez / unde pot parca / unde pot parca masina / unde las masina / unde las masina cand vin la voi /
    unde pot lasa masina / am unde sa parchez / parcarea e gratuita / parcarea e cu plata / cat costa parcarea /
    vin cu masina, unde o las / gasesc loc de parcare la $p / se poate parca in fata / parcare la $p /
    locuri pentru masini / se gaseste loc de parcat / e loc de masina prin apropiere /
    vin cu masina, e vreun loc unde sa o bag / am masina mare, unde o las / masina unde o pun / se parcheaza usor la voi /
    e parcare cu plata sau gratis / aveti unde lasa masina / unde lasa omul masina /
    exista un loc unde se poate lasa masina`,
  cancelPolicy: `
    cu cat timp inainte pot anula / cu cat timp inainte trebuie sa anunt ca nu vin / cu cate ore inainte anulez /
    pana cand pot anula / pana cand pot anula gratuit / pana cand pot anula fara sa platesc /
    pana cand pot renunta fara sa platesc nimic / platesc ceva daca anulez / ma costa ceva daca anulez /
    ma costa ceva daca mut programarea / e gratuit sa anulez / daca ma razgandesc platesc ceva /
    daca anunt cu o zi inainte e ok / exista penalizare daca anulez / se plateste anularea / pot anula cu o zi inainte /
    pana cand va anunt ca sa nu platesc / daca va anunt cu doua zile inainte platesc ceva /
    daca anulez in ultima clipa platesc / anularea costa ceva / cat de devreme trebuie sa anunt ca nu vin /
    daca ma razgandesc, pana cand va anunt / in ce termen pot renunta gratuit /
    cu cate zile inainte va spun daca nu mai vin / cu cat inainte va anunt ca nu pot veni`,
  latePolicy: `
    ce se intampla daca intarzii / ce se intampla daca intarzii un sfert de ora / ce patesc daca intarzii /
    daca intarzii 10 minute ma mai primiti / daca intarzii pierd programarea / daca intarzii putin e vreo problema /
    cat pot intarzia / cate minute pot intarzia / cat ma asteptati daca intarzii / sunt in trafic, cat ma asteptati /
    daca nu ajung la fix ma mai primiti / cate minute ma asteptati / cate minute pot intarzia pana imi dati locul altuia /
    daca ajung cu un sfert de ora mai tarziu / se supara cineva daca intarzii / intarzierea de zece minute e acceptata /
    daca prind trafic si intarzii ce faceti / intarziere / regula pentru intarzieri /
    daca intarzii mai mult de zece minute`,
  noShowPolicy: `
    ce se intampla daca nu vin / ce se intampla daca nu ma prezint / ce patesc daca nu ma prezint /
    ce se intampla daca uit de programare / daca uit sa vin platesc ceva / daca nu vin si nu anunt platesc /
    am uitat sa vin, trebuie sa platesc / am ratat programarea, ce se intampla / e vreo amenda daca nu vin /
    se percepe ceva pentru neprezentare / cat e avansul daca nu am venit / de ce trebuie sa platesc avans /
    ce patesc daca uit sa vin si nu sun / daca uit pur si simplu sa vin /
    am uitat data trecuta sa vin, acum platesc ceva in avans / se plateste avans dupa ce lipsesti /
    cat costa daca nu ma prezint / ce penalizare e daca nu apar / neprezentare / neprezentarea la programare se plateste /
    penalizare pentru neprezentare / avans pentru neprezentare / ce taxa e pentru neprezentare`,
  warranty: `
    oferiti garantie / aveti garantie / ce garantie aveti / ce garantie are $s / cat e garantia la $s /
    cati ani garantie are $s / cat timp am garantie / lucrarile au garantie / dati garantie la lucrari /
    piesele au garantie / daca se strica dupa un an o refaceti gratis / daca se strica o reparati pe gratis /
    daca imi cade dupa cateva luni platesc iar / sunt acoperit daca se strica / pe cat timp garantati /
    daca pica dupa un an o refaceti pe gratis / daca se strica in cateva luni cine plateste /
    refaceti gratuit daca se rupe / cat timp raspundeti pentru lucrare / imi garantati ca tine /
    daca imi cade $s dupa un an o refaceti / $s are garantie`,
  invoice: `
    cum pot primi factura / imi dati factura / se poate factura / factura pe firma / vreau factura pe firma /
    pentru factura pe firma ce date trebuie / ce date va trebuie pentru factura / cum imi trimiteti factura /
    trimiteti factura pe mail / factura vine pe email sau o iau de la voi / dati chitanta / dati bon fiscal /
    am nevoie de document pentru contabilitate / vreau sa trec cheltuiala pe firma / contabila imi cere factura /
    cand primesc factura / vreau sa trec plata pe srl / pentru srl ce date va dau / contabila imi cere document /
    factura o luati la mana sau vine pe mail / pe mail trimiteti hartia de plata / cui spun cui-ul firmei pentru factura /
    factura se trimite online / imi faceti si factura`,
  privacy: `
    ce faceti cu datele mele / ce faceti cu numarul meu de telefon / ce faceti cu datele mele personale /
    cine vede datele mele / cine are acces la datele mele / dati datele mele altcuiva / dati numarul meu la altii /
    cum pot sterge datele mele / cum imi sterg datele de la voi / vreau sa imi stergeti datele /
    vreau o copie a datelor mele / unde cer stergerea datelor / cui cer stergerea datelor / gdpr / protectia datelor /
    confidentialitate / la ce va trebuie numarul meu / vand datele mele / vreau sa dispar din evidenta /
    pastrati fisa mea / cine imi vede fisa / unde se pastreaza fisa medicala / spuneti cuiva ce am /
    cui mai dati numarul meu / il dati la firme de reclame / primesc reclame pe telefon daca las numarul /
    cum fac sa ma stergeti din evidenta / cui scriu ca sa imi stergeti datele / unde scriu pentru stergerea datelor /
    afla cineva ce tratament am facut / trimiteti fisa mea altor doctori / datele cu caracter personal /
    cui sunt transmise datele mele / cat timp se pastreaza datele / pot cere stergerea datelor`,
  wifi: `
    aveti wifi / aveti internet / care e parola de wifi / e wifi in sala de asteptare / e net la voi /
    am unde sa lucrez pe laptop cat astept`,
  jobs: `
    angajati / faceti angajari / aveti posturi libere / cautati personal / cautati colegi / cautati medici /
    cautati frizeri / cautati ospatari / unde trimit cv-ul / unde pot trimite un cv / vreau sa lucrez la voi /
    primiti studenti in practica / aveti locuri de munca / ce salariu oferiti / primiti voluntari / faceti internship /
    caut de lucru, angajati / am terminat scoala, angajati / sunt asistenta si caut loc de munca / va trebuie ucenici`,
  discounts: `
    aveti reduceri / aveti reducere pentru studenti / aveti reduceri pentru pensionari / faceti reducere / aveti oferte /
    aveti promotii / aveti oferta de black friday / dati discount la doua persoane / e mai ieftin daca vin cu un prieten /
    aveti card de fidelitate / aveti abonament / aveti pachete de familie / se poate mai ieftin / se negociaza pretul /
    exista reducere pentru elevi / am reducere daca vin cu toata familia / cat e reducerea pentru veterani`,
  giftcards: `
    vindeti carduri cadou / aveti vouchere cadou / vreau un card cadou / pot cumpara un cadou pentru mama /
    primiti tichete de vacanta / acceptati tichete cadou / primiti bonuri de masa / acceptati tichete de masa /
    luati vouchere / vreau sa fac o surpriza cu un card cadou / vindeti carduri cadou, vreau sa ii fac o surpriza mamei /
    as vrea un voucher pentru o prietena / pot lua un cadou pentru sotie la voi`,
  crypto: `
    se poate plati in bitcoin / acceptati criptomonede / pot plati cu crypto / acceptati bitcoin / pot plati in euro /
    pot plati in dolari / primiti valuta / luati cecuri / pot plati cu revolut`,
  pets: `
    pot veni cu cainele / pot veni cu catelul / acceptati animale / am voie cu pisica / pot aduce pisica / primiti caini /
    e pet friendly / tratati animale / tratati pisici / tundeti caini / aveti ceva pentru pisici /
    pot veni cu cainele in sala de asteptare / se poate cu catelul la voi / pot intra cu pisica in brate /
    aveti grija de caine cat sunt la voi`,
  access: `
    aveti lift / aveti rampa / se poate intra cu scaunul cu rotile / sunt in scaun cu rotile, pot intra /
    la ce etaj sunteti / e acces pentru persoane cu dizabilitati / aveti toaleta pentru persoane cu dizabilitati /
    pot intra cu caruciorul / pe unde se intra cu scaunul rulant / bunica nu poate urca scari, aveti lift`,
  comfort: `
    aveti cafea / aveti apa / aveti toaleta / e aer conditionat / aveti sala de asteptare / aveti televizor /
    aveti ceva de citit / se poate fuma la voi / aveti terasa / pot manca la voi cat astept / cum e sala de asteptare /
    se poate astepta inauntru / am unde astepta / aveti loc de joaca pentru copii / aveti jucarii /
    aveti scaun inalt pentru copii / aveti colt pentru copii / pot astepta inauntru la voi`,
  languages: `
    vorbiti engleza / vorbeste cineva engleza / vorbiti maghiara / vorbiti germana / in ce limbi vorbiti /
    vorbeste cineva franceza / stie doctorul italiana / aveti pe cineva care stie limbajul semnelor /
    mama vorbeste doar maghiara, ne intelegem / doctorul vorbeste engleza`,
  transit: `
    ce metrou e aproape / care metrou e cel mai aproape / ce autobuz vine pana la voi / ce tramvai opreste la voi /
    la ce statie cobor / e departe de gara / cat fac de la aeroport / cum ajung cu autobuzul / gasesc taxi acolo /
    ce metrou e langa $p / cat fac pe jos de la metrou`,
  staff: `
    cum il cheama pe doctor / cum se numeste doctorul / cine sunt medicii / cati medici aveti / cati ani are doctorul /
    e casatorit doctorul / e casatorita doamna doctor / are copii doctorul / ce facultate a terminat doctorul /
    ce experienta are / ce vechime are medicul / cine este proprietarul / cine e patronul / cine conduce firma /
    in ce an ati deschis / de cand existati / de cati ani sunteti pe piata / e bun doctorul / cine ma va trata /
    ce zodie are doamna doctor / cat castiga un doctor / unde locuieste doctorul / unde a facut facultatea doctorul /
    cum il cheama pe cel care se ocupa de copii / cine e cel mai bun doctor la voi / cat de tanar e doctorul /
    e simpatica doamna doctor / cine e doctorul care face $s / cine face $s la voi`,
  branches: `
    aveti cabinet in cluj / aveti si in brasov / aveti sediu la constanta / mai aveti vreo locatie in alt oras /
    deschideti si in iasi / cand deschideti in timisoara / lucrati si in alte orase / deschideti o locatie noua /
    aveti filiala la sibiu / care e cel mai bun din oradea / deschideti vreo clinica noua / aveti si in alt cartier /
    mai aveti undeva in tara / aveti parcare pentru tir la cluj / aveti loc de parcare la bucuresti nord`,
  holidays: `
    lucrati de paste / lucrati de craciun / e deschis pe 1 decembrie / sunteti deschisi de sarbatori /
    lucrati de revelion / lucrati pe 1 mai / inchideti in august / cand plecati in concediu`,
  homeVisit: `
    veniti acasa / veniti la domiciliu / faceti vizite la domiciliu / se poate la domiciliu / livrati acasa /
    faceti livrare / faceti transport / veniti sa luati masina de acasa / faceti consultatii online / se poate video /
    bunica nu se poate da jos din pat, veniti voi / veniti si la oameni in varsta acasa`,
  medicine: `
    ce antibiotic sa iau / ce antibiotic e bun pentru infectie / ce pastila sa iau pentru durere /
    ce calmant recomandati / pot lua ibuprofen / pot lua paracetamol cu nurofen / imi puteti prescrie ceva /
    imi dati o reteta / ce medicament e bun pentru gingii / sunt alergic la penicilina, ce pot lua /
    sunt alergica la anestezic / pot bea alcool cu antibiotice / iau anticoagulante, ce fac / am diabet, e periculos /
    am cancer, am voie / e periculos fluorul / e sanatos sa folosesc apa de gura / de ce imi miroase gura /
    de ce imi cade parul / ce vitamina imi lipseste / ce inseamna analizele mele / faceti vaccinuri /
    faceti analize de sange / faceti ecografii / cat dureaza sa treaca o raceala /
    ce se intampla daca inghit pasta de dinti / ce sa iau de durere pana ajung la doctor / cate pastile pot lua pe zi /
    iau sintrom, trebuie sa il opresc / trebuie sa opresc tratamentul inainte de $s /
    am alergie la lidocaina, ce aveti in loc / fac chimioterapie, e voie / e bun bicarbonatul pentru dinti /
    de ce imi amorteste limba / de ce imi sangereaza gingiile cand ma spal / cum curat corect aparatul acasa /
    cum ma spal corect pe dinti / e normal sa curga putin sange cand ma spal / cu ce clatesc gura /
    sangereaza gingia la periaj, ce pasta e buna / imi cad dintii de lapte prea devreme, e normal /
    cat timp trebuie purtat aparatul`,
  brands: `
    ce marca folositi / ce marci de produse folositi / ce produse folositi / ce pasta de dinti recomandati /
    ce periuta recomandati / ce sampon recomandati / ce ulei recomandati / vindeti produse / vindeti sampon /
    vindeti piese / vindeti periute / vindeti pizza / ce aparat ati cumparat / cum sterilizati instrumentele /
    aveti autoclav / cum dezinfectati / ce materiale folositi / aveti laser / ce periuta electrica e buna /
    ce marci de $s folositi / ce marca de $s aveti / ce firma de $s folositi / de unde cumparati $s /
    folositi produse vegane / ce vopsea folositi / sterilizati corect`,
  certificates: `
    imi dati o adeverinta / imi dati o scutire / imi dati concediu medical / pot primi o adeverinta pentru scoala /
    eliberati certificate / dati scutire de sport / cum obtin concediu medical / aveti autorizatie / aveti licenta /
    imi faceti o scutire pentru scoala / imi faceti adeverinta ca am fost la voi / pot primi o scutire pentru baiat /
    dati bilet de trimitere`,
  digital: `
    aveti aplicatie / aveti site / aveti facebook / aveti instagram / aveti whatsapp / pot sa vad istoricul online /
    cum imi fac cont / mi-am uitat parola / aveti recenzii / unde pot lasa o recenzie / am contul blocat /
    unde imi vad istoricul / imi trimiteti poze pe whatsapp`,
  elsewhere: `
    imi recomandati un restaurant / stiti o pizzerie buna / imi puteti recomanda un dermatolog /
    unde gasesc un oftalmolog / unde e cea mai apropiata farmacie / unde gasesc o farmacie / unde pot sta la hotel /
    ce coafor e langa voi / care e cel mai bun mecanic din oras / unde gasesc parcare la aeroport / ce hotel e aproape /
    vreau o rezervare la hotel / vreau sa rezerv un bilet de avion / vreau o rezervare la restaurant /
    vreau sa comand o pizza / imi comandati un taxi / repari telefoane / faceti chei / aveti medic oftalmolog /
    aveti dermatolog / faceti unghii / imi prescrieti ochelari / cat costa o operatie la genunchi / cat costa botox /
    cat costa un telefon / cat costa un bilet / cat costa benzina / cat costa o masina / faceti implanturi /
    faceti implanturi si cat e unul / cat costa un implant / cat costa un implant la voi / cat costa fatetele /
    cat costa fatetele la voi / puneti fatete / puneti fatete ceramice la dintii din fata / cat e o proteza /
    cat costa o proteza totala / am o proteza care ma strange, o reglati / faceti gutiere / cat costa o gutiera /
    cat costa gutierele transparente / faceti invisalign / puneti bijuterii pe dinti / faceti sigilari /
    cat este o sigilare / sigilarea cat costa pe dinte / tratati bruxismul / scrasnesc noaptea, aveti gutiera /
    tratati parodontoza cu laser / faceti botox / faceti acid hialuronic in buze / faceti sedare /
    faceti anestezie generala / faceti aditie de os / aveti kit pentru acasa / faceti tatuaje / faceti piercing /
    faceti epilare / puneti extensii / cat costa extensiile / faceti masaj / faceti manichiura / tineti cursuri /
    reparati biciclete / reparati motociclete / spalati si masini / puneti folii pe geamuri / cat costa o folie /
    vindeti anvelope / cat costa un motor nou / inchiriati masini / faceti tort la comanda / faceti catering /
    organizati nunti / cat costa o nunta la voi / ce coafor e langa dumneavoastra / stii un electrician /
    imi repari si telefonul ca mi-a cazut in apa / unde donez lucruri vechi / ce garantie are un televizor /
    ce garantie are un telefon / ce garantie are o masina de spalat / unde parchez la mall / cat dureaza un zbor`,
  world: `
    cum e vremea / cum e vremea maine / o sa ploua sambata / cate grade sunt afara / cine a castigat alegerile /
    cine este presedintele / cine e presedintele romaniei / ce parere ai de guvern / ce parere ai despre politica /
    cat e euro azi / cat e cursul la bnr / ce banca da credite / cine a castigat meciul / cand joaca steaua /
    care e capitala frantei / cat face doi plus doi / ce ora e / ce zi e azi / ce data e azi / spune-mi o gluma /
    spune un banc / canta-mi ceva / reteta de cozonac / cum se face sarmaua / reteta de clatite / ce film sa vad /
    de ce este cerul albastru / cat de departe e luna / cine a inventat becul / cat dureaza facultatea de medicina /
    cum slabesc / cum invat engleza / ce ai mancat azi / cum te cheama / cine te-a facut / ma iubesti /
    vrei sa te casatoresti cu mine / scrie-mi un referat / traduce-mi un text / ce mai faci`,
} as const;
