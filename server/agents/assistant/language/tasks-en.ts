/** The same in English. */
export const tasksEn = {
  book: `
    i would like to make an appointment / i'd like to book an appointment / can i book an appointment for tomorrow /
    can i book a $s for thursday afternoon / could i book a $s please / i want to book / i want to book a $s /
    book me in for $s on friday at 3 / book me for monday / booking for two please / bookng for my kids /
    need an appointment / need an appointmnet for $s asap / need appt $s this week / i need an appointment for my son /
    i need a $s / i need a $s, when can i come / i need to be seen this week / i need to see someone about $s /
    i'd like to come in for a $s / i'd like to come in next week / i want to come in on tuesday / can i come in tomorrow /
    can i come by on saturday / could i come in monday at 9 / can i get a $s on thursday /
    can i get an appointment with the doctor / can i have a slot on friday / can we get two slots on saturday /
    how can i get an appointment / how do i book / how do i make an appointment for $s / how do i set up a first visit /
    how do we get a date / when can you see me / when could you see me about $s / when can you fit me in /
    when could you fit me in for $s / can you fit me in tomorrow around 5 / can you squeeze me in this week /
    can you see my daughter on tuesday / could you find me a place this month / could you take me on wednesday /
    do you have anything available on saturday / do you have anything free on tuesday /
    do you have any openings this week / do you have a slot for $s / any openings friday morning /
    any availability next week / any chance of seeing someone on monday / got any openings today / got anything tomorrow /
    anything free after 6 / what's your next free slot / what is your earliest appointment / whats ur earliest slot /
    what days do you have free / what times are available on thursday / when's the earliest you could see me /
    when is the next available $s / is there a free slot on friday / is there any chance of a visit next week /
    is it possible to be seen this week / is wednesday possible / would it be possible to be seen some time this week /
    would it be possible to schedule a $s / please schedule me for $s / please put me down for a $s /
    put me down for monday at 10 / put me in for wednesday 3pm / sign me up for a $s / reserve me a consultation /
    please reserve a time for my husband / i wish to make a reservation /
    i would like to schedule a consultation for my wife and me / i'd like to arrange a check-up for my daughter /
    i'd like to set up a meeting / let's set up a visit / looking to set up a visit / looking to get a $s /
    looking for an appointment / i am looking for a new place, could i register and come / do you take new patients /
    are you accepting new clients / i'm new in town and would like a first visit / just moved here and need a $s /
    my son needs a $s / my mother needs $s, mornings are better / my wife and i both need to be seen /
    hoping to get a $s before christmas, when could i come / hoping to come in this week / i want my teeth cleaned /
    i want to get my $s done / i'd like to get my hair cut on saturday / i want a $s / i'd love a $s before my wedding /
    i'd like a $s next week / i would like to see a dentist next week / i'd like to see someone about my back /
    i think it's time to get it checked, when are you free / it doesn't bother me but i'd like it looked at /
    i've been putting this off for years, when can i come / i finally decided to get $s, how do i start /
    we'd like our first visit to be with you / a table for two tonight at 8 / table for four on saturday /
    i'd like to reserve a table / i'd like to bring my car in for $s / when can i bring the car in /
    can you do an oil change tomorrow / $s tomorrow please / $s on monday at 10 / $s, when / appointment /
    appointment please / appointment for $s / a check-up please / checkup next week / slot on friday evening /
    only evenings work for me, have you got anything / mornings only, anything next week /
    my friend recommended you, can i come / i have a referral for $s / i wanna make an appointment /
    i wanna book my mom in for $s / wanna come in tmrw / can u book me / could you give me a time on thursday /
    id like to register and book / what's the soonest i can come / can i drop by today / may i visit on tuesday /
    i chipped an old filling ages ago, it doesn't hurt, any openings friday /
    it's an old problem, doesn't hurt, when could you sort it / so what days do you have free /
    i promised my wife i would go, when can you take me / i have a referral, when can i come /
    any chance of seeing someone monday morning / is there a chance to get in on friday /
    a friend told me about you, could i have a first visit / my daughter has never been, when could she come /
    how do we start with $s / could we both come on saturday / please schedule my son for $s /
    please schedule us for monday / please see my husband on tuesday / please find me a time next week /
    could you see my husband for $s / can i pop in tomorrow after work / what dates do you have for $s /
    please give me an appointment`,
  move: `
    i need to reschedule / i need to reschedule my appointment / can we reschedule / could we reschedule to next week /
    reschedule please / want to change the time of my appointment / i need to change my appointment /
    i'd like to change my booking / i'd like to move my appointment / can you move my appointment to friday /
    could you move my 10 o'clock to the afternoon / move me to any day after / please move my visit to another day /
    please push my appointment back a week / can you push it to 12 / push it to next week /
    could we postpone thursday's visit / i'd like to postpone / is it possible to postpone by a week /
    can it be brought forward / bring my appointment forward / can i come earlier than agreed /
    id rather come earlier than what we agreed / is there anything sooner than the date you gave me /
    i'm down for the 30th and that's too far, anything earlier / can i swap my morning slot for one in the evening /
    swap my 9am for something later / can i come friday instead / could i come on tuesday instead / another day please /
    another time please / different day / different time / can we do another day / can we find another day /
    can we do it later / can you make it 5 instead of 4 / could you make it later /
    can't make it tomorrow, can we do another day / i can't come on monday, could you give me another time /
    i won't be able to make it on tuesday, can we find another day / something came up, could we do next week /
    something came up at work, could we postpone / my flight got delayed, i need a new date /
    my son is ill, can we come next week instead / stuck in traffic and will miss my 2:30, can we reschedule /
    running late, can you move me to later / i'm booked for tuesday 4pm, need to change it /
    i have an appointment at 4, could you make it 5 / i've got an appointment and need to move it /
    i was booked for monday but it doesn't work, wednesday? / i was put down for thursday, i'd prefer friday /
    i picked the wrong day / i booked the wrong week, can you change it / wrong date, please change /
    i want to keep my appointment but shift it to the afternoon / shift it from morning to afternoon /
    same day but later / same hour next week / i'd rather be seen at $p, can you switch my visit /
    change the place of my appointment to $p / i'd like to do $s instead of $s in the slot i have / delay my appointment /
    rearrange my appointment / can you change my reservation to 9 / change our booking to six people /
    i need it later in the month / next thursday instead / can we move it /
    my husband has $s on wednesday and he can't, can we postpone by a week /
    my wife's appointment on monday, can it be another day / my mum's visit on monday, can it be brought forward /
    my son's slot on friday doesn't work, can he come later / can it be moved to this week /
    i have $s set for tuesday but i'm away, can we do the week after /
    i'm down for saturday but i forgot it's a wedding, move me to any day after /
    i was supposed to come on friday, can i come monday / i was supposed to come in today, another day please /
    i've got $s booked, could it be later / keep the visit but at another hour / could i get a later date /
    that date is too far away, is there anything sooner / you gave me 9, i can only do 11`,
  cancel: `
    i want to cancel / i want to cancel my appointment / cancel my appointment / cancel my booking please /
    please cancel my visit / please cancel the appointment on the 22nd, name Georgescu / cancel / cancellation /
    cancel it / i need to cancel this afternoon's $s / i have to cancel / i have to call off friday's visit /
    i need to call off my visit / i'm afraid something's come up and i have to cancel / how do i cancel /
    can i cancel my appointment / delete my appointment / please delete my booking /
    i won't be able to come in on the 14th / i won't make it / i won't be there / i can't make it /
    i can't make it tomorrow / i can't come / i can't come in today / i cannot attend / we can't come on saturday /
    unable to attend / not coming tomorrow sorry / i'm not coming / we're not bringing him in today /
    i'm no longer able to come / i don't need the appointment anymore / don't need it anymore, scrap it /
    no longer needed / take me off the list / please take me off the list for monday / drop my slot /
    please drop the slots for saturday / please release the time to someone else / give my slot to someone else /
    void my reservation / i must withdraw from my visit / i've come down with the flu and can't come /
    my kid is sick so we won't be coming / i changed my mind about the $s, cancel it /
    i found someone closer to home, please cancel / gotta bail on thursday / have to bail tomorrow /
    cancel our table for tonight / cancel the reservation / something came up / i will miss my appointment /
    i'll have to give it a miss / i don't need the $s anymore, cancel it / i don't need the $s anymore / scrap the $s /
    we were supposed to come on saturday, please drop it / only two of us will come, drop the other slots /
    we won't be bringing him in today, what about his slot / my kid is ill, we are not coming /
    i will no longer be in town, please cancel / please remove me from the schedule / void it please /
    i'd rather not come anymore`,
  urgent: `
    it is an emergency / this is an emergency / emergency / urgent / i need urgent help / i need help now / help /
    help me please / please help me / help i'm in terrible pain / i'm in agony / i am in so much pain / i'm in pain /
    i have a terrible toothache / i have the worst toothache / my tooth hurts so bad / my tooth is killing me /
    my tooth is killing me i haven't slept / my back is killing me / it hurts so much / it hurts like hell /
    it hurts when i breathe / it's throbbing terribly / throbbing all night / pounding pain and i can't think /
    severe pain / severe tooth pain need to be seen right now / unbearable pain / the pain is unbearable /
    the pain is getting worse / the pain keeps me awake / i can't sleep because of the pain / i haven't slept all night /
    been up since 3 in the morning with pain / i can't take it anymore / i can't eat or drink because of the pain /
    painkillers aren't doing anything / painkillers don't work anymore / ibuprofen isn't helping / my face is swollen /
    half my face is swollen since this morning / my cheek is swollen like a balloon / swollen jaw and a fever /
    my jaw is swollen and hot / my gum is swollen and full of pus / i think i have an abscess /
    abscess, pus and a nasty taste / an infection and chills / i have a fever and it hurts / my gum won't stop bleeding /
    bleeding won't stop after extraction / it won't stop bleeding / blood everywhere /
    i had a tooth pulled and it's still bleeding / i had $s yesterday and now it is swollen /
    after the $s it hurts a lot, is this dangerous / broke a tooth on a nut / i broke my front tooth /
    i chipped my tooth and it hurts / my tooth cracked in half / my filling fell out and it hurts /
    my filling came out and i can't even drink water / my crown fell off and it hurts / my crown came off /
    lost a filling and the nerve is out / the wire of my braces is stabbing my cheek /
    my bridge snapped and cut my tongue / my tooth got knocked out / my son knocked out his front tooth what do i do /
    my daughter fell and there's blood / my child fell and hit his teeth / my little boy is crying and holding his cheek /
    i fell off my bike and two teeth are loose / i hit my mouth and my lip is split /
    took an elbow and my tooth is loose / i had an accident / i got hit in the mouth / i can't open my mouth /
    i can't close my mouth properly / i can't swallow / i have trouble breathing / is there an on-call doctor /
    is there anyone on duty now / somebody on duty please / can somebody see me today, it hurts /
    can anyone see me right now / can i come right now / i'm coming now, it's serious / how fast can you take us /
    where do we go right now / we need someone to see him this morning / could you see me first thing, i'm in pain /
    my wife is crying from pain, we come now / please please i can't bear it / my eyes are watering from the pain /
    it is a 9 out of 10 / something is badly wrong / my car broke down on the highway / my car won't start and i'm stuck /
    i need a tow truck now / smoke is coming from the engine / the brakes don't work /
    a pipe burst and there's water everywhere / my dog can't breathe / i have a burn /
    bad allergic reaction after the colour / up all night with a bag of ice on my face /
    been up all night holding my cheek, can you see me first thing / could you see me first thing, it's getting worse /
    i'm holding my face and can't talk`,
  talk: `
    can i speak to a real person / can i speak to a real person please / can i talk to someone /
    can i speak to somebody at the desk / could i speak with a human / i want to talk to a person /
    i want to talk to a human / i want to speak to someone / i'd like to speak to a member of staff /
    i'd much rather deal with a member of staff / i'd prefer to discuss it with a person / i'd rather talk to somebody /
    let me talk to someone / let me talk to the receptionist / let me speak with the doctor / human / human please /
    a human / real person / operator / agent / live agent / live agent please / representative / not a robot /
    stop the bot / are you a robot / are you a bot / is this a bot / is anyone there / is anyone actually there /
    anyone there / anybody there / is there a human i can chat with / is there anyone i can talk to /
    is there someone i could talk to / is there a lady i could talk to / is there a supervisor i might speak with /
    someone from reception / somebody from your team / give me someone who works there / get me a person /
    get me the manager / get me a human / connect me to a person / connect me with an operator /
    put me through to reception / put me through to your manager / transfer me to a human agent / transfer me to someone /
    pass me to a colleague / call me / call me back / please call me back on 0740 123 456 / give me a call /
    could you give me a call back this evening / could one of your colleagues give me a call / could someone call me /
    could someone from reception ring me / would someone be able to ring me / ring me back please /
    have somebody phone me / have the doctor phone me about my results / can someone get in touch with me /
    please contact me / i'd like to be contacted / i'm waiting for a call / nobody called me back /
    your receptionist promised to ring me / nobody answers the phone / nobody answers my emails /
    you do not understand me / you don't understand / this bot is useless / this chat is not helping /
    i find this chat confusing / it's a bit long to explain in writing / i don't want to explain it to a machine /
    i want to discuss a contract with someone / i represent a company and want to talk to your manager /
    i was charged twice / i've been charged twice and want to talk to someone /
    there is a mistake on my invoice, i need a person / i need to talk about my bill with someone /
    could you pass a message to the doctor / i left my scarf at your place, can someone check /
    i lost my glasses in your waiting room / i want to talk to whoever is in charge / who can i talk to /
    who can i speak to about this / which of your colleagues should i contact / customer service / front desk /
    reception / speak to the manager`,
  complain: `
    i have a complaint / i want to make a complaint / i'd like to make a formal complaint / who handles complaints /
    how do i complain / i'm not happy / i'm not happy with the work / i am very unhappy with how i was treated /
    i'm really disappointed / i was treated very rudely / your staff was rude to me / the nurse shouted at me /
    i waited an hour although i had an appointment / this is unacceptable / i want my money back / i want a refund /
    raise a concern about an employee / the job was done badly / this is the third time it broke / i'm fed up with this /
    terrible service`,
  answer: `
    yes / no / i don't know / ok / okay / fine / sure / of course / exactly / never mind / it doesn't matter / any /
    whenever / tomorrow / friday at 10 / monday morning / after 5 / on the 12th of may / Anna Brown /
    my name is John Smith / i'm Sarah / 0722 123 456 / my number is 0733 555 111 / hello / hi / good morning / hi there /
    thanks / thank you / thank you very much / great / perfect / i see / understood / goodbye / bye / have a nice day /
    $s / at $p / the first one / the second / not yet / maybe / wait a moment / one more question / i have a question /
    i would like to know something / i don't want an appointment / i don't want to cancel / i don't need anything /
    just looking / i will be there tomorrow / i'm on my way / i want something`,
} as const;
