/**
 * How people begin what they want done, in Romanian, whatever the business: messages as they are typed, between slashes.
 * "$s" is any service, "$p" any place of the business.
 */
export const tasksRo = {
  book: `
    vreau o programare / vreau sa fac o programare / as vrea sa fac o programare pentru maine /
    as dori sa ma programez la $s / doresc o programare la $s va rog /
    buna ziua as dori o programare pentru saptamana viitoare / se poate o programare vineri dupa ora 17 /
    ma puteti programa marti la 10 / puteti sa ma programati si pe mine / ma programati la $s sambata dimineata /
    programare $s luni / programare la $p pt sotul meu / o programare pentru $s cat mai repede / fac si eu o programare? /
    cum ma pot programa / cum fac sa ma programez la voi / unde ma pot programa pentru $s / vreau sa vin la $s /
    vreau sa vin la voi saptamana asta / as veni si eu la voi intr-o zi / as vrea sa vin maine pe la pranz /
    as vrea sa vin cu fetita mea / as putea veni joi dupa amiaza / pot veni maine la 9 / pot sa trec pe la voi azi /
    pot trece vineri pe la voi pentru $s / mi-ar trebui o programare pentru $s / mi-ar trebui un loc saptamana viitoare /
    imi trebuie o ora la $s / imi trebuie $s cand pot veni / am nevoie de $s cand aveti liber /
    am nevoie de o programare urgent saptamana asta / as avea nevoie de o ora miercuri dupa masa / cand aveti liber /
    cand aveti loc pt $s / cand aveti loc liber sambata / aveti ceva liber joi / aveti loc maine /
    aveti locuri libere saptamana viitoare / aveti vreun loc pentru $s azi / mai aveti locuri vineri /
    mai aveti ceva disponibil dupa ora 16 / mai este vreun loc liber marti / mai sunt ore libere miercuri /
    ce ore aveti libere joi / ce zile aveti disponibile luna asta / ce interval mai este disponibil sambata /
    care este prima zi libera / care e cea mai apropiata ora libera / cand e prima ora disponibila /
    cand ma puteti primi / cand ma puteti primi pentru $s / cand m-ati putea primi si pe mine /
    ma puteti primi maine la 11 / ma primiti si pe mine vineri / ma primiti saptamana asta /
    puteti sa ma luati si pe mine luni / ma puteti lua marti pe la 12 / ma bagati si pe mine undeva saptamana asta /
    ma strecurati si pe mine intre doi clienti / treceti-ma pe lista pentru $s / treceti-ma si pe mine joi la 14 /
    puneti-ma si pe mine la $s marti / notati-ma pentru $s / noteaza-ma luni la 10 pe numele Popescu Ion /
    scrieti-ma pentru sambata / inscrieti-ma pentru $s / rezervati-mi un loc / rezervati-mi o ora la $s vineri /
    rezerva-mi un loc pe 12 mai la 15 numele Georgescu / vreau sa rezerv o ora /
    as vrea sa rezerv un loc pentru doua persoane / vreau sa rezerv o masa pentru patru persoane sambata seara /
    o masa de doua persoane diseara la 8 / aveti masa libera pentru sase persoane vineri / tineti-mi un loc pe la 17 /
    gasiti-mi si mie o ora / imi gasiti un loc saptamana viitoare / puteti sa-mi gasiti ceva dupa munca /
    as vrea sa stabilim o vizita / hai sa stabilim o intalnire pentru $s / putem fixa o ora /
    se poate fixa o data pentru $s / as vrea sa fixam o zi / cand putem veni / cand as putea veni la un control /
    cand as putea veni cu baiatul / cand pot ajunge la voi pentru $s / as vrea sa ajung la voi saptamana viitoare /
    as vrea sa trec pe la dumneavoastra / as vrea un $s cand se poate / vreau un $s maine / vreau $s sambata /
    vreau sa fac $s / vreau sa imi fac $s / as vrea sa-mi fac $s inainte de nunta / doresc sa fac $s luna aceasta /
    mi-am propus sa fac $s, cand aveti loc / ma intereseaza o programare la $s / ma intereseaza $s, cand pot veni /
    m-am hotarat sa fac $s / sunt client nou si as vrea sa vin / sunt pacient nou, ma puteti programa /
    primiti clienti noi / n-am mai fost de mult, as vrea sa vin la un control / caut o programare pentru mama mea /
    vreau o programare pentru copil dupa scoala / o programare pentru fiul meu de 8 ani /
    sotia mea ar vrea sa vina la $s / mama mea are nevoie de $s, cand o puteti primi /
    imi programati si mie masina la $s / as vrea sa aduc masina la $s / cand pot aduce masina la revizie /
    cand pot lasa masina la voi pentru verificare / vreau sa schimb uleiul, cand pot veni /
    vreau sa schimb cauciucurile sambata / as vrea sa ma tund maine / vreau sa ma vopsesc vineri, aveti loc /
    as vrea sa imi verificati ceva / sa ma vedeti si pe mine cand aveti timp, nu ma grabesc /
    cineva sa ma consulte saptamana viitoare / vreau la doctor / vreau la un specialist / vreau un consult /
    un control va rog / un consult pe 20 la ora 12 / $s maine la 10 / $s joi dupamasa se poate /
    $s sambata dimineata daca aveti loc / loc la $s vineri / prog $s luni pls / vr o prog la $s / vreau si eu $s la $p /
    vreau sa ma inscriu / as vrea doua locuri unul dupa altul / avem nevoie de doua ore pentru copii /
    mi-a recomandat o prietena sa vin la voi / mi s-a spus sa revin peste sase luni, cand aveti liber /
    doctorul mi-a zis sa revin, ma puteti trece undeva / trebuie sa fac $s, ce zile aveti /
    trebuie sa vin la $s, cand se poate / trebuie sa imi scot o masea, nu e grabă, cand pot veni /
    la cat as putea veni maine / se poate sa vin azi / se poate maine la 9 / e posibil sa vin sambata /
    cel mai devreme cand ati putea / sunt liber doar seara, aveti ceva dupa 18 / lucrez pana la 5, ma puteti primi dupa /
    vin acasa de sarbatori si as vrea sa fac $s / ma mut in oras si caut un loc unde sa merg, as vrea o prima vizita /
    cum as putea sa iau o ora pentru bunica / cum procedez ca sa obtin o programare / vreau sa incep tratamentul /
    am trimitere pentru $s, cand pot veni / as vrea sa continui tratamentul inceput in alta parte / imi dati o ora /
    imi dati si mie o programare / ce zi imi dati / as dori sa vin pt $s in jur de 15 noiembrie /
    mai e cumva un loc liber in weekend / doresc programare / doresc o ora / programare va rog /
    buna, as avea si eu nevoie de un loc / cand poate sa ma vada doctorul / sa ma vada si pe mine doctorul /
    ma poate vedea doctorul saptamana viitoare / poate sa ma vada cineva saptamana viitoare, nu e urgent /
    vreau sa imi puna aparat, cand putem incepe / mi-a cazut mai demult o plomba, nu doare, as vrea sa o refac /
    am o carie de mai mult timp si as vrea sa o rezolv cand aveti loc / vreau sa imi fac dintii /
    vreau sa imi refac lucrarea veche, cand pot trece / fiica mea are nevoie de un control, cand aveti loc pentru ea /
    sotul meu m-a rugat sa il programez / ne trebuie doua locuri pentru copii in aceeasi zi /
    n-am mai fost de ani de zile, cand m-ati putea primi / sunt disponibil luni si marti, aveti ceva /
    poate cineva sa imi verifice masina saptamana asta / trebuie facuta revizia la masina, ce zile aveti libere /
    as vrea culoare si tuns sambata / putem veni patru persoane la cina vineri / vreau la $s cu baiatul /
    vreau la $s cat de curand / as vrea la $s cu fata mea / la $s cat mai repede va rog / m-as programa si eu la $s /
    ma prindeti si pe mine cu un $s / ati avea un loc pentru mine`,
  move: `
    vreau sa mut programarea / vreau sa imi mut programarea de maine / as vrea sa schimb ora programarii /
    vreau sa schimb ziua / vreau alta ora / vreau in alta zi / as vrea alta data / putem schimba ora /
    putem muta pe alta zi / putem muta pe joi / putem amana o saptamana / se poate muta programarea mea de vineri /
    se poate muta pe saptamana viitoare / se poate schimba ora de la 10 la 12 / se poate mai devreme decat era stabilit /
    se poate mai tarziu in aceeasi zi / puteti sa mutati programarea de marti pe joi / puteti sa ma mutati pe alta zi /
    mutati-ma va rog pe vineri / mutati va rog programarea mea / ma puteti decala cu o ora /
    ma puteti pune mai spre seara / as dori sa decalez vizita cu o saptamana / decalam cu doua zile /
    vreau sa ma reprogramez / reprogramare / as dori o reprogramare / reprogramati-ma va rog / as vrea sa reprogramez $s /
    am o programare si vreau sa o mut / am o programare si as vrea s-o aman /
    am programare la 5 si nu scap de la munca, se poate mai tarziu / am programare pe 18 dar nu pot, alta zi /
    am programare maine la 11 si nu pot ajunge, mutam pe alta zi / eram programat la 3, as putea veni la 5 /
    eram programata marti dar mi-a intervenit ceva, se poate alta zi / eram trecut joi la 15, pot abia dupa 18 /
    eram pe lista pentru luni, se poate miercuri / sunt programat la 17, as prefera la 15 /
    sunt programata abia peste trei saptamani, s-a eliberat ceva mai repede /
    daca se elibereaza un loc mai devreme as veni eu / aveti ceva mai devreme decat data pe care mi-ati dat-o /
    as vrea sa vin mai repede decat am stabilit / trebuie sa o mut / trebuie sa aman / trebuie s-o amanam / amanam $s /
    as vrea sa aman programarea / aman vizita de vineri / amanati va rog programarea de luni /
    mi-a intervenit ceva, o lasam pe alta zi / mi-a aparut o delegatie, ce alte zile ar mai fi /
    nu pot ajunge maine, alta zi se poate / nu pot la ora asta, alta ora / nu pot la 16, doar dupa 18 /
    nu mai ajung azi, putem maine / nu mai pot joi, ma puteti primi vineri / nu pot veni in ziua aceea, gasim alta data /
    nu o sa pot ajunge la ora stabilita, ne vedem alta zi / intarzii mult, ma puteti pune mai tarziu /
    nu prind ora de la 14, se poate mai spre seara / am gresit data / am gresit ziua, trebuia miercuri /
    am incurcat zilele si vreau sa modific / am luat ora gresita, se poate corecta /
    am confundat zilele, modificati va rog / modific programarea / vreau sa modific ora / modificare programare /
    schimb programarea / vreau sa schimb locatia programarii / as vrea sa vin la $p in loc de $p, aceeasi ora /
    in loc de $s as vrea sa fac $s in ora pe care o am deja / s-a imbolnavit copilul, putem veni saptamana cealalta /
    am racit, mai bine amanam / copilul are examen atunci, se poate alta zi /
    avem sedinta la serviciu, mutam pe mai tarziu / sunt plecat din oras pe 20, as vrea alta data /
    sunt la mare, puneti-ma saptamana viitoare / pot schimba ora / pot veni alta data / pot sa vin la alta ora /
    pot sa vin mai devreme decat ora la care sunt trecut / vin alta data, cand se poate / ramane pe alta zi /
    o lasam pe saptamana viitoare / gasim alta zi / gasim o alta ora / imi dati alta ora /
    as prefera dimineata in loc de dupa amiaza / mai bine luni decat vineri, se poate schimba /
    mi-ati dat ora 9, dar nu ajung pana la 10 / prog de maine la 10, se poate la 12 / mut prog de azi pe maine /
    vizita de marti o facem joi / schimbati rezervarea pe sambata / mut rezervarea de la 8 la 9 /
    suntem mai multi, schimbam rezervarea la sase persoane / nu mai aduc masina azi, o aduc joi /
    am loc pe 18 dar e prea departe, se poate mai repede / am stabilit pe marti dar nu pot, as vrea miercuri /
    sotia mea are ora luni si nu poate, se poate in alta zi / fiul meu are programare la $s si nu poate ajunge, amanam /
    am examen cand trebuia sa vin la $s, putem amana / trebuia sa vin la $s dar am sedinta, se poate alta ora /
    mi-ati trimis mesaj ca sunt asteptat maine, dar sunt plecat, saptamana viitoare se poate /
    am primit sms cu ora, dar nu pot atunci, alta zi / ne puteti decala cu o zi / ne puteti muta si pe noi /
    puteti decala $s cu o saptamana / amanati $s pe luna viitoare / muta-ma de vineri pe luni / zi diferita va rog /
    e prea devreme ora aceea, puteti sa imi dati una mai tarziu / ora aceea nu imi convine, vreau alta /
    tin programarea dar vreau alta ora / de joi pe vineri daca se poate / nu e buna ora, schimbati-o /
    la $s de maine vin mai tarziu, mutam ora / vreau sa vin in alta zi la $s decat am vorbit`,
  cancel: `
    vreau sa anulez programarea / anulez programarea / anulati va rog programarea de maine /
    anulati programarea pe numele Ionescu / anulare / anulare programare / as dori sa anulez /
    as vrea sa anulez $s de vineri / pot anula programarea / cum anulez programarea / cum fac sa anulez /
    trebuie sa anulez / trebuie sa anulam vizita de azi / vreau sa renunt la programare / renunt la vizita de joi /
    renuntam la $s / am o programare si vreau sa o anulez / nu mai vin / nu mai vin azi scuze / nu mai vin la programare /
    nu mai venim maine / nu mai pot veni / nu mai pot veni marti / nu pot sa vin maine / nu pot veni la programare /
    nu pot ajunge / nu pot ajunge maine la ora stabilita / nu mai pot ajunge / nu mai ajung azi / nu mai ajung, scuze /
    nu o sa ajung maine / nu o sa pot veni vineri / nu o sa pot sa ma prezint / nu voi putea ajunge /
    nu reusesc sa ajung azi / n-am cum sa ajung / n-am cum sa vin joi / nu mai am nevoie de ora de sambata /
    nu mai e nevoie de programare / nu mai vreau programarea / stergeti programarea mea / stergeti-ma va rog de pe lista /
    scoateti-ma de pe lista de luni / scoateti-ma din agenda / dati locul meu altcuiva / puteti da ora mea altcuiva /
    eliberati locul va rog / vreau sa contramandez programarea / contramandati va rog / mi-a intervenit ceva /
    mi-a aparut o urgenta la serviciu si nu pot veni / din pacate nu mai putem ajunge /
    din motive personale nu mai pot veni / imi pare rau dar nu pot ajunge la intalnire / am racit si nu vin maine /
    s-a imbolnavit copilul si nu mai venim / fiul meu are febra si nu mai poate veni /
    sotul meu e internat si nu mai ajunge la programare / mama s-a razgandit, nu mai vine /
    m-am razgandit, nu mai fac $s / am gasit alt loc, nu mai vin / lasati, nu mai vin / las-o balta cu programarea /
    uitati de programarea mea de vineri / anuleaza rezervarea / anulati rezervarea de diseara /
    nu mai venim la masa de sambata / anulez pt joi / nu mai vin cu masina la voi / pa la prog de azi /
    nu mai fac $s, renunt / renunt la $s / anulez $s / anulati $s de luni / o las balta / las-o balta, m-am razgandit /
    din motive de sanatate trebuie sa renunt la vizita stabilita / ma vad nevoit sa anulez /
    sotia mea este in spital, stergeti programarea ei / mama nu mai poate veni, stergeti-o de pe lista /
    copilul e bolnav, nu il mai aduc azi / eliberez ora, o puteti da altcuiva / ora mea de maine ramane libera /
    avem doua ore luate si vreau sa renunt la una / una din programari o anulati / din doua locuri pastrez doar unul /
    nu gasesc butonul, cum anulez / nu stiu cum se anuleaza, ajutati-ma`,
  urgent: `
    am o urgenta / e o urgenta / este urgent / urgent / urgenta / am nevoie de ajutor urgent / am nevoie de ajutor acum /
    ajutor / ajutati-ma va rog / ajutati-ma ca nu mai pot / salvati-ma / e grav / ce ma fac, nu mai pot / nu mai rezist /
    nu mai suport / nu mai suport durerea / nu mai pot de durere / ma doare ingrozitor / ma doare foarte tare /
    ma doare rau de tot / ma doare groaznic de aseara / ma doare o masea / ma doare maseaua de mor /
    ma doare maseaua de nu mai stiu de mine / ma dor dintii / ma doare de innebunesc / ma doare de imi vine sa urlu /
    ma doare falca si nu pot deschide gura / ma doare capul si spatele foarte tare / am o durere ingrozitoare /
    am o durere cumplita de masea / am dureri mari / am dureri insuportabile de ieri / durere insuportabila /
    durere puternica in partea dreapta / nu am dormit toata noaptea de durere / n-am inchis un ochi de durere /
    plang de durere / nu pot dormi de durere / nu pot sa mananc nimic de durere / nu pot nici sa vorbesc de durere /
    durerea e tot mai puternica / durerea nu trece cu nimic / am luat calmante si nu trece /
    am luat doua pastile si degeaba / calmantele nu mai au efect / antibioticul nu ajuta si tot doare /
    imi pulseaza toata falca / imi zvacneste maseaua / ma junghie tare / ma inteapa rau de tot / ma omoara maseaua /
    ma omoara durerea / maseaua asta ma baga in pamant / mi s-a umflat obrazul / mi s-a umflat fata de azi dimineata /
    e umflat si fierbinte / obraz umflat / am falca umflata / am gingia umflata si curge puroi /
    am o umflatura sub limba si abia inghit / am abces / cred ca am facut abces / puroi la gingie /
    infectie, am febra si frisoane / am febra si ma doare / imi curge sange si nu se opreste / nu se opreste sangele /
    sangereaza de o ora / imi sangereaza gingia rau / sangereaza dupa extractie / mi-am spart un dinte /
    mi s-a spart un dinte / mi-am rupt dintele din fata / mi s-a rupt o masea cand mancam / mi-a cazut plomba /
    mi-a cazut coroana / mi-a sarit plomba si ma doare / a sarit o bucata din dinte /
    mi-a iesit plomba si doare cand trage aerul / mi s-a desprins coroana / mi s-a dezlipit lucrarea si ma doare /
    mi s-a rupt sarma de la aparat si ma taie / mi se misca un dinte dupa o lovitura / se clatina dintii din fata /
    am cazut si mi-am lovit dintii / am cazut pe scari si mi-am spart buza / am luat un pumn in gura /
    am luat un cot la fotbal si mi s-a rupt un dinte / m-am lovit rau / m-am lovit la gura si curge sange /
    am avut un accident / copilul a cazut si si-a spart dintele / copilul a cazut cu bicicleta si ii curge sange /
    copilul plange de durere si nu mananca nimic / copilul nu se opreste din plans, il doare /
    fetita plange si se tine de obraz / baiatul si-a scos un dinte din lovitura / bebelusul s-a lovit /
    bebelusul are febra mare / sotul meu urla de durere / bunica are fata umflata / sotia mea nu mai poate de durere /
    a cazut dintele cu totul, il tin in lapte / dintele a iesit din loc / mi s-a blocat falca / nu pot inchide gura /
    nu pot inghiti / nu pot respira bine / m-am trezit cu fata umflata / m-am trezit cu o durere cumplita /
    am facut $s ieri si acum ma doare cumplit / am fost ieri la $s si s-a umflat /
    dupa $s doare tot mai rau, ceva nu e in regula / am scos o masea si sangereaza in continuare / aveti medic de garda /
    este cineva de garda acum / ma poate vedea cineva acum / ma poate vedea cineva azi, ma doare rau /
    primiti-ma azi va rog, nu mai suport / primiti pe cineva fara programare chiar acum /
    pot veni acum imediat, e urgent / vin direct acum, e grav / ajung in 20 de minute, ma luati /
    cat de repede ma puteti vedea, am dureri / veniti repede / unde merg acum, curge sange / ce fac, mi-am rupt dintele /
    ce pot face azi, ma doare / trebuie sa ma vada un medic imediat / mi-e foarte rau / mi s-a facut rau /
    imi este frica, s-a umflat tot / am ramas in drum cu masina / masina nu mai porneste si sunt pe autostrada /
    mi s-a stricat masina pe drum, trimiteti pe cineva / am ramas in pana, am nevoie de tractare /
    nu mai merge frana, ce fac / iese fum din motor / am nevoie de platforma acum /
    s-a spart o teava si curge apa peste tot / m-am ars / am o reactie, mi s-a umflat pielea dupa vopsit /
    catelul meu nu respira bine / pisica a mancat ceva otravit / plange de durere si se tine de falca /
    se tine de obraz si plange / puteti sa il vedeti repede, plange de durere / primiti si acum pe cineva, ma doare /
    a inceput sa ma doara si mai tare / de ieri imi e tot mai rau / mi-a intrat sarma in obraz /
    m-am taiat si curge sange / mi-a sarit plomba si a ramas o gaura, ma doare cand trag aer /
    mi s-a rupt aparatul si ma taie / nu pot mesteca nimic, ma omoara / pot sa il aduc imediat, urla de durere /
    se poate azi, plang de durere`,
  talk: `
    vreau sa vorbesc cu un om / vreau sa vorbesc cu cineva / vreau sa vorbesc cu o persoana reala /
    as vrea sa vorbesc cu un operator / as dori sa discut cu cineva / as prefera sa vorbesc cu un coleg de-al vostru /
    as prefera sa explic unei persoane / pot vorbi cu cineva / pot vorbi cu un operator uman /
    pot vorbi la telefon cu cineva / pot sa vorbesc direct cu doctorul / pot vorbi cu doamna de la receptie /
    se poate sa vorbesc cu asistenta / cu cine pot vorbi / cu cine pot discuta despre o factura / cu cine iau legatura /
    cui ma adresez / cui pot scrie despre o problema / operator / operator uman / agent uman / un om va rog /
    un coleg va rog / o persoana va rog / vreau un om / vreau un om adevarat nu un robot / vreau o persoana adevarata /
    vreau sa aud un glas de om / dati-mi un om / dati-mi pe cineva / dati-mi pe cineva de la receptie /
    dati-mi pe cineva de-al vostru / da-mi pe cineva real / da-mi un coleg / fa-mi legatura cu cineva /
    faceti-mi legatura cu receptia / transferati-ma la un coleg / transfera-ma la operator / treceti-ma la receptie /
    pasati-ma la cineva / pune-ma in legatura cu un coleg / e cineva acolo / e cineva real pe aici /
    este cineva la telefon / e vreun om pe acolo / vorbesc cu un robot / esti robot / esti om sau robot / e robot asta /
    nu vreau sa vorbesc cu un robot / nu cu un robot / lasati robotul / nu ma descurc cu scrisul aici /
    nu ma pricep la calculator, ma suna cineva / nu ma intelegi / nu intelegi ce spun / nu intelegi nimic, vreau un om /
    nu ma ajuti deloc / chatul asta nu ma ajuta / imi poate raspunde cineva / imi poate raspunde un coleg /
    ma poate ajuta cineva de la voi / ma poate lamuri cineva / ma poate suna cineva / ma poate suna un coleg /
    ma poate suna si pe mine cineva dupa 16 / ma puteti suna / ma puteti suna inapoi / ma suna si pe mine cineva /
    sunati-ma / sunati-ma va rog / sunati-ma la 0722 123 456 / suna-ma cand poti / sa ma sune cineva /
    sa ma sune doctorul va rog / sa ma contacteze cineva / sa ma contacteze cineva de la contabilitate /
    rog sa fiu sunat / as vrea sa fiu sunata maine / doresc sa fiu contactat / contactati-ma /
    contactati-ma va rog la telefon / puteti ruga pe cineva sa ma sune / lasati-mi un telefon cand puteti /
    dati-mi un telefon / dati-mi un apel cand aveti timp / astept un telefon / astept un telefon de la voi de luni /
    mi s-a promis ca ma suna cineva / mi-ati zis ca ma sunati si nu m-a sunat nimeni / am sunat si nu raspunde nimeni /
    nu raspunde nimeni la telefon / vreau sa va sun, cine raspunde / luati legatura cu mine /
    vreau sa vorbesc cu doctorul care m-a tratat / vreau sa vorbesc cu seful / vreau managerul /
    vreau sa discut cu responsabilul / cine e seful acolo / cine se ocupa de asta /
    vreau sa vorbesc cu cineva din conducere / as vrea sa transmit ceva doamnei doctor /
    transmiteti va rog un mesaj colegei / am o situatie mai complicata, vreau sa explic unui om /
    am o intrebare despre o factura mai veche, ma sunati / am o problema delicata si vreau sa discut cu cineva /
    e o situatie complicata, sa ma contacteze cineva / reprezint o firma si vreau sa discut o colaborare /
    vreau sa discut o colaborare / am uitat ceva la voi, ma suna cineva / am uitat umbrela la voi, ati gasit-o /
    mi-am uitat ochelarii in sala de asteptare / mi s-au luat bani de doua ori / mi-ati luat bani in plus /
    am o factura gresita / vb cu cnv pls / vreau sa vb cu un om / vreau receptia / receptie / asistenta clienti /
    serviciul clienti / ajutor de la un om`,
  complain: `
    am o reclamatie / am o plangere / vreau sa fac o reclamatie / vreau sa depun o plangere /
    vreau sa depun o plangere impotriva unui angajat / doresc sa fac o sesizare /
    as dori sa reclam comportamentul unui coleg / sunt foarte nemultumit / sunt nemultumita de lucrare /
    sunt nemultumit de cum am fost tratat / am ramas dezamagita de serviciile voastre / sunt suparat pe voi /
    e bataie de joc / va bateti joc de oameni / am asteptat o ora desi aveam programare / am stat pe hol doua ore /
    mi s-a vorbit urat / mi s-a vorbit urat la receptie / asistenta a tipat la mine / lucrarea e facuta prost /
    mi-ati stricat masina / m-ati tuns prost si vreau sa vorbesc cu cineva / am ceva de spus si nu e de bine /
    m-am saturat, vreau sa vorbesc cu seful / e a treia oara cand se strica / vreau banii inapoi / cer banii inapoi /
    cum fac o reclamatie / unde pot face o reclamatie / reclamatie / am o nemultumire / vreau sa discut o nemultumire`,
  answer: `
    da / nu / nu stiu / ok / bine / sigur / desigur / exact / asa e / mai vedem / nu conteaza / oricare / oricand /
    maine / vineri la 10 / luni dimineata / dupa ora 17 / pe 12 mai / Ana Pop / Ion Popescu / ma numesc Maria Ionescu /
    ma cheama Vasile / numele meu este Georgescu Elena / 0722 123 456 / telefonul meu este 0733 555 111 /
    adresa mea este ion@exemplu.ro / salut / buna ziua / buna / multumesc / multumesc frumos / mersi mult / super /
    perfect / am inteles / la revedere / o zi buna / $s / la $p / prima varianta / a doua / nu inca / poate / stai putin /
    imediat / revin / mai am o intrebare / as vrea sa stiu ceva / am o intrebare / am o nelamurire /
    nu vreau o programare / nu vreau sa anulez / nu vreau sa fac o programare acum / nu am nevoie de nimic /
    nu vreau sa vorbesc cu nimeni / multumesc, doar intrebam / doar ma uit / vreau pizza / vreau ceva / o sa ajung maine /
    vin maine / ajung la timp / am venit`,
} as const;
