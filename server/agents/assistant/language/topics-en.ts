/** The same in English. */
export const topicsEn = {
  hours: `
    when are you open / what are your opening hours / opening hours / are you open / are you open on saturday /
    are you open today / are you open late / what time do you open / what time do you close /
    when do you close on friday / until what time are you open / do you work on weekends / do you work on sundays /
    how late are you open / working hours / do you have a lunch break / i finish work at 6, are you still open /
    do you close earlier on friday / can i still catch you after 6`,
  address: `
    where are you / where are you located / where is $p / what is your address / address please / how do i get to $p /
    how do i find you / how to get there / which street are you on / directions / what is the address of $p /
    how many locations do you have / where do i come`,
  phone: `
    what is your phone number / phone number / phone number of $p / what number can i call / telephone / contact details /
    how can i reach you by phone`,
  price: `
    how much is $s / how much is a $s / how much does $s cost / how much for $s / how much do you charge for $s /
    what does $s cost / what is the price of $s / what's the price for $s / price of $s / price $s / $s price /
    $s how much / cost of $s / what would $s set me back / what do you take for $s / how expensive is $s`,
  prices: `
    what services do you offer / what do you do / services / prices / price list / what are your prices /
    how much does it cost / fees / menu / what are your rates`,
  duration: `
    how long does $s take / how long does an appointment take / how long is a visit / how long will it take /
    how long will i be there / how much time should i plan / how many minutes / how early should i arrive /
    should i come earlier`,
  details: `
    what does $s include / what is included in $s / what does $s involve / how is $s done / how does $s work /
    what is $s / how many sessions for $s / what is $s made of / is anaesthesia included in $s /
    do i need something before $s / which material do you use for $s / how many visits does $s need /
    is anything else included in $s`,
  offers: `
    do you do $s / do you offer $s / do you have $s / can i get $s at your place`,
  pain: `
    does $s hurt / is $s painful / will $s hurt / will it hurt / i'm afraid of $s / do you use anaesthesia for $s /
    is it uncomfortable`,
  frequency: `
    how often should i have $s / how often do i need $s / how often is $s done / how many times a year /
    when should i repeat $s / is once a year enough`,
  longevity: `
    how long does $s last / how many years does $s last / how long will the effect last / how long do the results last`,
  aftercare: `
    what can i eat after $s / can i eat after $s / when can i eat after $s / can i smoke after $s /
    can i drink coffee after $s / what should i avoid after $s / what do i do after $s / aftercare`,
  payment: `
    can i pay by card / do you take cards / do you accept cards / cash or card / do you take cash / how can i pay /
    what payment methods do you accept / can i pay by bank transfer / do you accept apple pay / can i pay online`,
  installments: `
    can i pay in installments / do you offer installments / payment plan / can i spread the payment / can i pay monthly /
    is there interest / financing / can i pay a bit every month`,
  publicInsurance: `
    do you work with the national insurance / do you take public insurance / is anything free with the state insurance /
    do you accept referrals`,
  privateInsurance: `
    do you accept private insurance / do you take my insurance / i have private insurance /
    which insurers do you work with / does my insurance cover it`,
  children: `
    do you treat children / do you see kids / do you take children / from what age do you see children /
    can i bring my child / do you have a children's doctor / my son is 4, can you see him /
    do you look after little ones / which day is the children's doctor in`,
  pregnancy: `
    can i come if i'm pregnant / i'm pregnant, is it safe / is it safe during pregnancy / can i have $s while pregnant /
    i'm expecting, can i have $s`,
  bring: `
    what should i bring / what do i need to bring to my first visit / do i need my id / which documents do i need /
    do i bring my old x-rays / it's my first time, what do i need`,
  parking: `
    do you have parking / is there parking / where can i park / where do i leave my car / is parking free /
    parking near $p`,
  cancelPolicy: `
    how late can i cancel / how far in advance can i cancel / is there a cancellation fee / do i pay if i cancel /
    until when can i cancel for free / can i cancel a day before`,
  latePolicy: `
    what if i'm late / what happens if i'm late / how late can i be / i'm running late, will you still see me /
    do i lose my appointment if i'm late`,
  noShowPolicy: `
    what happens if i don't show up / what if i miss my appointment / do i pay if i forget to come /
    is there a no-show fee`,
  warranty: `
    do you offer a warranty / is there a guarantee / how long is the warranty on $s / what if it breaks after a year /
    is the work guaranteed`,
  invoice: `
    can i get an invoice / how do i get the invoice / invoice for my company / do you email the invoice /
    can i have a receipt`,
  privacy: `
    what do you do with my data / who sees my data / who can see my personal data / do you share my phone number /
    how can i delete my data / i want a copy of my data / data protection / gdpr / privacy`,
  wifi: `
    do you have wifi / what is the wifi password / is there internet`,
  jobs: `
    are you hiring / do you have any jobs / where can i send my cv / can i work for you / do you take interns /
    vacancies`,
  discounts: `
    do you have discounts / student discount / discount for seniors / any offers / any promotions / can i get it cheaper /
    do you have a loyalty card`,
  giftcards: `
    do you sell gift cards / do you have vouchers / do you accept meal tickets`,
  crypto: `
    can i pay with bitcoin / do you accept crypto / can i pay in euro / can i pay in dollars`,
  pets: `
    can i bring my dog / can i bring my cat / are dogs allowed / do you treat animals / do you treat cats /
    are pets allowed`,
  access: `
    is there a lift / is there a ramp / are you wheelchair accessible / which floor are you on /
    can i come in with a pram`,
  comfort: `
    do you have coffee / is there a toilet / is there air conditioning / is there a waiting room`,
  languages: `
    do you speak english / does anyone speak german / which languages do you speak / does the doctor speak french`,
  transit: `
    which metro station is near / which bus goes there / how far is it from the airport / how do i get there by bus`,
  staff: `
    who is the doctor / what is the doctor's name / how old is the doctor / is the doctor married /
    is the dentist married / does the dentist have children / who is the owner / how long have you been in business /
    what university did the doctor go to / how many doctors do you have / how much does a dentist earn`,
  branches: `
    do you have a branch in another city / are you also in london / when do you open in cluj / is there one in brasov`,
  holidays: `
    are you open at christmas / are you open on new year / are you open at easter / are you closed in august /
    are you open on public holidays`,
  homeVisit: `
    do you do home visits / can you come to my home / do you deliver / do you do online consultations`,
  medicine: `
    which antibiotic should i take / what painkiller is best / can i take ibuprofen / can you prescribe something /
    can i drink alcohol with antibiotics / why does my breath smell / is fluoride dangerous /
    i am allergic to penicillin / do you do vaccines / do you do blood tests /
    which toothpaste is good for bleeding gums / why do my gums bleed when i brush / how do i clean my braces at home /
    should i stop my pills before $s / what can i take for the pain until i come /
    is it normal that it bleeds a bit when i brush`,
  brands: `
    which brand do you use / which products do you use / which toothpaste do you recommend / which shampoo is best /
    do you sell products / do you sell bicycles / how do you sterilise your instruments`,
  certificates: `
    can i get a certificate / can i get a sick note / do you have a licence`,
  digital: `
    do you have an app / do you have a website / are you on facebook / are you on instagram / where can i read reviews`,
  elsewhere: `
    can you recommend a restaurant / do you know a good hotel / where is the nearest pharmacy /
    can you recommend a dermatologist / book me a flight / book a hotel room / order a pizza / call me a taxi /
    can you fix my phone / do you sell cars / how much is a plane ticket / how much is a house / how much is an implant /
    do you do implants / do you do veneers / how much are veneers / do you make dentures / how much is a night guard /
    do you do botox / do you do tattoos / do you do massage / do you fix bicycles / do you rent cars / do you wash cars /
    do you do wedding catering / what is the warranty on a phone / where can i park at the airport`,
  world: `
    what's the weather / what's the weather tomorrow / will it rain / who won the election / who is the president /
    who won the match / what is the capital of france / what time is it / what day is it / tell me a joke /
    write me a poem / what is the exchange rate / how far is the moon / why is the sky blue / how do i lose weight /
    what's your name / who made you / how are you / do you love me / what is the meaning of life`,
} as const;
