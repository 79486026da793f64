"""The closed English vocabulary: phrase -> typed tokens. Keys are lower case without accents or apostrophes."""

from bot.windows.meaning import (
    AnyDay,
    Clock,
    Day,
    Meridiem,
    Offset,
    Part,
    Recurring,
    Shape,
    Span,
    Stretch,
)
from bot.windows.named_days import ENGLISH_DAYS
from bot.windows.tokens import Kind, Token, Value

Lexicon = dict[str, tuple[Token, ...]]


def entries(kind: Kind, phrases: str, value: Value = None) -> Lexicon:
    """Phrases separated by `|`, all meaning the same."""
    return {phrase.strip(): (Token(kind, value),) for phrase in phrases.split("|")}


def days(phrases: str, day: Day) -> Lexicon:
    return entries(Kind.DAY, phrases, day)


def part(phrases: str, start: float, end: float, meridiem: Meridiem) -> Lexicon:
    return entries(Kind.PART, phrases, Part(int(start * 60), int(end * 60), meridiem))


def spans(phrases: str, span: Span) -> Lexicon:
    return entries(Kind.SPAN, phrases, span)


def today_in(phrases: str, start: int, end: int, meridiem: Meridiem) -> Lexicon:
    today = Token(Kind.DAY, Offset(0))
    piece = Token(Kind.PART, Part(start * 60, end * 60, meridiem, this=True))
    return {phrase.strip(): (today, piece) for phrase in phrases.split("|")}


WEEKDAYS = (
    "monday|mon|mondy",
    "tuesday|tue|tues|tuseday",
    "wednesday|wed|weds|wensday",
    "thursday|thu|thur|thurs|thrs|thr|thrus|thurday",
    "friday|fri|frid",
    "saturday|sat",
    "sunday|sun",
)
MONTHS = (
    "january|jan",
    "february|feb",
    "march|mar",
    "april|apr",
    "may",
    "june|jun",
    "july|jul",
    "august|aug",
    "september|sep|sept",
    "october|oct",
    "november|nov",
    "december|dec",
)
NUMBERS = "one two three four five six seven eight nine ten eleven twelve"
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)


def _names() -> Lexicon:
    lexicon: Lexicon = {}
    for index, names in enumerate(WEEKDAYS):
        lexicon |= entries(Kind.WEEKDAY, names, index)
        lexicon |= entries(Kind.WEEKDAY, f"{names.split('|')[0]} s", index)
        plural = f"{names.split('|')[0]}s"
        lexicon |= days(f"last {plural[:-1]}|last {names.split('|')[1]}", Offset(-1))
        for name in names.split("|"):
            last = (Token(Kind.ORDINAL, -1), Token(Kind.WEEKDAY, index), Token(Kind.OF))
            lexicon |= {f"last {name} of": last, f"last {name} in": last}
        lexicon[f"no {plural}"] = (Token(Kind.NOT), Token(Kind.DAY, Recurring((index,))))
        lexicon |= days(f"{plural}|every {plural[:-1]}|on {plural}|any {plural}", Recurring((index,)))
    for index, names in enumerate(MONTHS, start=1):
        lexicon |= entries(Kind.MONTH, names, index)
    for number, word in enumerate(NUMBERS.split(), start=1):
        lexicon |= entries(Kind.WORDNUM, word, number)
    for number, word in enumerate(_ORDINALS.split(), start=1):
        lexicon |= entries(Kind.ORDINAL, word, number)
    for number, word in enumerate(_ORDINALS.split()[:9], start=21):
        lexicon |= entries(Kind.ORDINAL, f"twenty {word}", number)
    lexicon |= entries(Kind.WORDNUM, "twenty", 20) | entries(Kind.WORDNUM, "twenty five", 25)
    return lexicon | entries(Kind.ORDINAL, "thirtieth", 30) | entries(Kind.ORDINAL, "thirty first", 31)


_DAYS: Lexicon = (
    {name: token for names, day in ENGLISH_DAYS.items() for name, token in days(names, day).items()}
    | {"last day of": (Token(Kind.ORDINAL, -1), Token(Kind.DAYS), Token(Kind.OF))}
    | days("today|2day|tday|todays|todya|tdy|this day", Offset(0))
    | days(
        "tomorrow|tmrw|tmr|tmw|tmrrw|tmorrow|tomo|tom|tomoz|tomoro|tomoro|tmoro|2moro|2morow|2morrow|2mrw"
        "|2mro|2mo|2mw|2morro|tomrw|tmoz|2mrrw|tomm|tommo|tomor|tmor|tmrrow|tommrow|tmro|tomorro"
        "|tomarrow|tomarow|tommarow|tommorow|tommorrow"
        "|tomorow|tomorrows|morrow|tmrow|tmmrw|tommorw",
        Offset(1),
    )
    | days("day after tomorrow|the day after tomorrow|day after tmrw|overmorrow|day after tmr", Offset(2))
    | days("last week|previous week", Offset(-7))
    | days("yesterday|yday|last night|yesterdays", Offset(-1))
    | days("next month", Stretch.NEXT_MONTH)
    | days("this month", Stretch.THIS_MONTH)
    | days(
        "end of the month|end of month|end of this month|month end|end of the week|end of week"
        "|end of this week",
        Stretch.SOME_END,
    )
    | days("later this week|rest of the week|rest of this week|later in the week", Stretch.REST_OF_WEEK)
    | days("every day|everyday|most days|daily", Recurring())
    | days("weekdays|weekday|any weekday|on weekdays|during the week|workdays", Recurring((0, 1, 2, 3, 4)))
    | days("weekends|on weekends|any weekend|every weekend", Recurring((5, 6)))
    | days("week after next|wk after next|the week after next", Stretch.WEEK_AFTER_NEXT)
    | days("weekend after next", Stretch.WEEKEND_AFTER_NEXT)
    | entries(Kind.THIS_WEEK, "this week|this wk|the week|all week")
    | entries(
        Kind.NEXT_WEEK,
        "next week|nxt week|next wk|nxt wk|following week|early next week|late next week|end of next week"
        "|middle of next week|mid next week|beginning of next week|start of next week|later next week",
    )
    | entries(Kind.WEEKEND, "weekend|wkend|wknd|week end")
    | entries(Kind.EDGE, "start of|beginning of|middle of|mid|later in|first half of|early in|late in")
    | entries(Kind.EDGE, "end of|the end of", "end")
    | entries(Kind.THIS, "this|dis")
    | entries(Kind.NEXT, "next|nxt|nex|following")
    | entries(Kind.COMING, "coming|this coming|upcoming|the coming")
    | entries(Kind.DAYS, "day|days|dys")
    | entries(Kind.WEEKS, "week|weeks|wk|wks")
    | entries(Kind.FORTNIGHTS, "fortnight|fortnights")
    | entries(Kind.MONTHS, "month|months")
    | entries(Kind.EVERY, "every|each|always|usually|most|normally|generally")
)

_PARTS: Lexicon = (
    part(
        "first thing|early morning|early in the morning|first thing in the morning|bright and early"
        "|early am|early",
        8,
        10,
        "am",
    )
    | part("morning|morn|mornin|mornings|morning time", 8, 12, "am")
    | part("late morning|mid morning|midmorning|later in the morning|late am", 10, 12, "am")
    | part("lunch|lunchtime|lunch time|lunch hour|lunchish|early afternoon|early arvo|early pm", 12, 14, "pm")
    | part("afternoon|afternoons|arvo|aftrnoon|afternoonish", 12, 17, "pm")
    | part("mid afternoon|midafternoon", 14, 16, "pm")
    | part("late afternoon|later in the afternoon|late arvo|late pm", 15, 17, "pm")
    | part("early evening|early eve", 17, 19, "pm")
    | part(
        "evening|eve|evenin|evng|evenings|after work|night|nite|at night|nights|after i finish work",
        17,
        21,
        "pm",
    )
    | part("late evening|late night|late at night|later in the evening|late nite", 19, 21, "pm")
    | today_in("tonight|2nite|tonite|2night|tnite|2nght|tonights|tonihgt", 17, 21, "pm")
    | today_in("late tonight", 19, 21, "pm")
    | today_in("early tonight", 17, 19, "pm")
    | part("midnight", 24, 25, "pm")
    # Before 5 pm is the best that a driver can make of a business that closes then.
    | part("business hours|office hours|working hours|work hours|during the day|daytime", 9, 17, "am")
)

NOON = Clock(12, fixed=True)
_TIMES: Lexicon = (
    # `aft 2` is after 2, `fri aft` is the afternoon: the grammar decides.
    entries(Kind.AFTER, "aft", "aft")
    | entries(Kind.SUFFIX, "am", "am")
    | entries(Kind.SUFFIX, "pm", "pm")
    | entries(Kind.OCLOCK, "oclock|o clock|oclk|o clk|hrs sharp|sharp|on the dot")
    | entries(Kind.HALF, "half")
    | entries(Kind.QUARTER, "quarter|a quarter|qtr")
    | entries(Kind.PAST, "past")
    | entries(Kind.MINUTES, "thirty", 30)
    | entries(Kind.MINUTES, "fifteen", 15)
    | entries(Kind.MINUTES, "forty five", 45)
    | entries(Kind.MINUTES, "forty", 40)
    | entries(Kind.MINUTES, "fifty", 50)
    | entries(Kind.ISH, "ish|or so|or thereabouts|roughly speaking|or there abouts|give or take")
    | entries(Kind.AT, "at|@|for|say|starting at")
    | entries(
        Kind.AFTER,
        "after|aftr|afta|afer|later than|from after|any time after|anytime after|only after",
    )
    | entries(
        Kind.AFTER,
        "not before|no earlier than|not earlier than|no sooner than|not until|not til|not till|starting"
        "|dont come before|do not come before|not b4",
        "from",
    )
    | entries(
        Kind.BEFORE,
        "before|befor|b4|bfore|bef|earlier than|not after|up to|upto|prior to"
        "|up until|any time before|anytime before|dont come after|do not come after|only before|nlt"
        "|up till",
    )
    | entries(Kind.BEFORE, "no later than|not later than|nlt", "by")
    | entries(Kind.BY, "by|latest by|at the latest by")
    | entries(Kind.UNTIL, "until|til|till|untill|thru|through")
    | entries(
        Kind.AROUND,
        "around|about|approx|approximately|roughly|like|near|circa|round|~|arnd|abt|more or less"
        "|maybe like|close to|around about|somewhere around",
    )
    | entries(Kind.BETWEEN, "between|btw|btwn|b/w|betw|in between|bet|bw|anywhere between")
    | entries(Kind.FROM, "from|frm")
    | entries(Kind.TO, "to")
    | entries(Kind.AND, "and|&|n")
    | entries(Kind.OR, "or|/|and/or|or maybe|or else|or even|or perhaps")
    | entries(Kind.ONWARDS, "or later|or after|or any time after|or anytime after|or past", "or")
    | entries(
        Kind.ONWARDS,
        "onwards|onward|on wards|and later|and after|+|at the earliest|earliest"
        "|plus|and onwards|and on|or so onwards",
    )
    | entries(
        Kind.OR_EARLIER, "or earlier|or before|at the latest|latest|at latest|or sooner|and earlier|tops"
    )
    | entries(Kind.IN, "in|in another")
    | entries(Kind.IN, "within|in under|in less than", "within")
    | entries(Kind.HOUR, "noon|midday|12 noon|noontime|mid day|twelve noon|high noon|12 midday", NOON)
    | {"noonish": (Token(Kind.HOUR, NOON), Token(Kind.ISH))}
    | entries(Kind.AGO, "ago")
    | entries(Kind.HOURS, "hour|hours|hr|hrs")
    | entries(Kind.MINS, "minute|minutes|min|mins|minuts")
    | entries(Kind.LATE, "late")
    | spans("this time", Span(Shape.SAME_TIME))
    | {
        phrase: (Token(Kind.SPAN, Span(Shape.SAME_TIME)), Token(Kind.DAY, Offset(7)))
        for phrase in ("this time next week", "this time next wk")
    }
    | spans(
        "any time|anytime|by end of day|by eod|by end of the day|all day|whenever|any hour|whole day"
        "|the whole day|all of the day|any tym|anytym|flexible|at any time|no matter what time"
        "|whatever time",
        Span(Shape.ANY),
    )
    | days(
        "any day|anyday|whichever day|any other day|another day|different day|some other day|a different day",
        AnyDay(),
    )
    | spans(
        "when you can|when u can|whenever you can|whenever u can|when possible|dinner|supper"
        "|later|l8r|l8er|latr|asap|soon|teatime|tea time|as soon as possible|as soon as you can"
        "|right away|right now|now"
        "|immediately|sooner|earlier|straight away|shortly|dinner time|dinnertime|after school"
        "|after dinner|before bed|after tea|at tea|some other time|another time|in a bit|in a while"
        "|eventually|quickly|as early as possible|as late as possible|breakfast|after breakfast"
        "|other time|different time|same time|the same time|later in the day|end of day|end of the day|eod"
        "|couple of days|few days|couple days|a couple of days|a few days|couple of hours|couple hours"
        "|a couple of hours|a couple hours|few hours|a few hours|few minutes|few mins|a few minutes"
        "|a few mins|a couple of weeks|couple of weeks|few weeks|a few weeks",
        Span(Shape.VAGUE),
    )
)

_GRAMMAR: Lexicon = (
    entries(Kind.THE_DAY, "the|da|th")
    | entries(
        Kind.OTHER,
        "one after|one after that|following one|next one|week after|other one|the one after"
        "|the one after that|the following one|the next one|the week after|the other one",
    )
    | entries(Kind.ONE, "a|an")
    | entries(Kind.ON, "on")
    | entries(Kind.OF, "of")
)

_CLAUSES: Lexicon = (
    entries(
        Kind.NOT,
        "not|nothing|except|except for|other than|apart from|aside from|anything but|any day but|anyday but"
        "|but not|excluding|all but|never|not on|just not|excl|any weekday but"
        "|besides|nor|or not",
    )
    | entries(
        Kind.INSTEAD_OF, "instead of|rather than|in place of|and not|than|better than|insted of|instead off"
    )
    | entries(
        Kind.UNAVAILABLE,
        "am out|am away|not home|not be home|not at home|not in|not here|not be here|not around"
        "|not be around|not available|not be available|unavailable|no one|nobody|noone|no body|none of us"
        "|wont|will not|doesnt work|dont work|does not work|do not work|didnt work|not work|isnt good"
        "|not good|no good|not great|not possible|isnt possible|isnt going to work|not going to work|cant"
        "|can not|cannot|couldnt|wont work|wouldnt work|out|out of town|away|busy|at work|have to work"
        "|gotta work|got work|closed|gone|im not|i am not|were not|we are not|aint|not going to be"
        "|dont come|do not come|dont deliver|do not deliver|dont want it|dont bring it|i work|im working"
        "|working|at the office|at school|in a meeting|in meetings|bad|rubbish|impossible|unable|not able"
        "|is out|isnt ideal|isnt convenient|not convenient|not suitable|doesnt suit|dont suit"
        "|isnt suitable|never home|abroad|traveling|travelling|on vacation|on holiday|doesnt do|no can do"
        "|hopeless|tied up|stuck at work|have an appointment|got an appointment|have an appt|got an appt"
        "|doctors appointment"
        "|doctor appointment|drs appointment|dr appointment|dr appt|dentist|dentist appointment"
        "|hospital appointment|have a meeting|got a meeting|have a call|meeting|meetings|nap|naps"
        "|napping|sleeps|sleep"
        "|asleep|sleeping|school run|school pickup|birthday|funeral|wedding|have class|got class|have a class"
        "|at the hospital|at hospital|in hospital|at the doctors|at the dentist|at the vet|at church"
        "|at college|at uni|in court|at the airport|in class|in work|in the office|in school|in uni|in lectures"
        "|in surgery|at a funeral|at a wedding|at an appointment|interview|exam|have plans|got plans"
        "|have a thing|got a thing|occupied|have church|night shift"
        "|my shift|on shift|day shift|off site|not free|not in town|not gonna be home|not gonna be in"
        "|not gonna be there|not gonna be here|not gonna be around|not gonna work",
    )
    | entries(
        Kind.HOME_FROM,
        "home by|back by|be back from work|get back from work|home at|back at|get home|be back|get back"
        "|off work|get off|finish work|get off work|done with work|off from work|done work|finished work"
        "|finish|done at|done by|get in|home from|back home|im back|off at|getting home|gets home|return"
        "|available from|free from|im home from|clock off|out of work|out of work at|we open|opens"
        "|open at|open up|back from work"
        "|getting off|got work till|got work until",
    )
    | entries(
        Kind.LEAVES,
        "leave|leave for work|leaving for work|leave the house|leaving|head out|heading out|have to go"
        "|gotta go|need to go|going out|go out|must go|go to work|heading off|got to go|have to leave"
        "|gotta leave|off to work|close|closes|close at|shut|shuts|closing|close up|lock up",
    )
    | entries(
        Kind.CORRECTION,
        "actually|no wait|i mean|i meant|scratch that|make that|make it|or rather|oh wait|wait|correction"
        "|oops|no make it|sorry i meant|sorry i mean|hang on|hold on|no actually|on second thought"
        "|on second thoughts|strike that|forget that|sorry no|no sorry",
    )
    | entries(
        Kind.REPORTED,
        "you said|u said|they said|he said|she said|it said|it says|was told|been told|were told"
        "|supposed to|suppose to|meant to|was scheduled|scheduled for|is scheduled|was booked|booked for"
        "|was due|due|was coming|says|promised|told me|have been waiting|ive been waiting|waited|waited in"
        "|been waiting|originally|was expecting|expected|missed you|missed me|missed the driver"
        "|missed it|u promised|was set for|is set for"
        "|tried|tried to|attempted|attempted to|was out|were out|wasnt in|wasnt home|was not home|wasnt there"
        "|was not in|werent home|were not home|was at work|came|came at|nobody came|no one came|window was"
        "|slot was|delivery was|ordered it|ordered",
    )
    | entries(Kind.SINCE, "since|since like|since about")
    | entries(Kind.AFTER_THAT, "after that|after then|any time after that|anytime after that|from then")
    | entries(Kind.AFTER_THAT, "from then on|afterwards|afterward|thereafter|after this")
    | entries(Kind.BEFORE_THAT, "before that|before then|by then|til then|till then|until then")
    | entries(Kind.INSTEAD, "instead")
    | entries(
        Kind.CHANGE, "change|move|reschedule|switch|push|moved|changed|rescheduled|shift|swap|resched|bump"
    )
    | entries(Kind.BREAK, "but", "but")
    | entries(Kind.BREAK, "swing by|stop by|drop by|come by|pass by|passing by|come over|pop by|pop round")
    | entries(
        Kind.BREAK,
        "can|could|so|then|lets|how about|what about|cud|pls can|cant you|cant u|cant ya|couldnt you"
        "|wont you|try|prefer|because|cos|cuz|as|though|although|however|please come|due to"
        "|id prefer|if not|works|work|is good|is fine|is ok|is better|is best|is perfect"
        "|is great|would work|would be|will do|can do|book|while|when|unless|hopefully",
    )
    | entries(
        Kind.BREAK,
        "come|come back|come round|come around|bring|deliver|redeliver|drop it|drop|send it|deliver it"
        "|bring it|leave it|send|be delivered"
        "|arrive|it come|it would come|it would be|it will come|would come|be here|turn up|show up|get it",
        "verb",
    )
    | entries(
        Kind.FILLER,
        "please|pls|plz|plse|pleas|thanks|thx|thank you|ty|sometime|some time|maybe|perhaps|just|ok|okay"
        "|yes|yeah|yep|sure|hi|hello|hey|good|fine|great|is|be|it|would|will|i|we|im|id|u|you|me|my|our|us"
        "|at some point|if possible|if thats ok|if that works|or whatever|preferably|ideally|possible|any"
        "|some|only|the house|works for me|no problem|no worries|not sure|im not sure|why not"
        "|is it not possible|not bothered|not fussed|i dont mind|dont mind|out for delivery|sort out"
        "|find out|figure out|carry out|check out|turns out|working from home|work from home|wfh|i am"
        "|we are|am i|am home|am available|am free|am around|am here|im home|home all day|here all day"
        "|in all day|as well|too|also|free|available|home|here|slot|window|delivery|package|parcel|order"
        "|around the house|about it|about my|like to|would like|id like|do|to be|gonna be|going to be|time"
        "|o|hmm|um|uh|er|well|oh|that|or anything|there|no|nope|nah|no not|bit|cool|perfect|lovely|a bit"
        "|at least|suits|suits me|best|better|rather|ideal|definitely|probably|same day|then please|again"
        "|sorry|sry|hand|or no|both|next door|next to|up|look|set up|lol|haha|even",
    )
    # `no not tomorrow` denies, `no, tomorrow` does not.
    | {"no not": (Token(Kind.NOT),)}
    | {
        f"no {phrase}": (Token(Kind.NOT), *(_PARTS | _DAYS)[phrase])
        for phrase in ("mornings", "afternoons", "evenings", "nights", "weekends", "weekdays")
    }
)

ENGLISH: Lexicon = _names() | _DAYS | _PARTS | _TIMES | _GRAMMAR | _CLAUSES

FUZZY_ENGLISH = frozenset(
    {names.split("|")[0] for names in WEEKDAYS}
    | {names.split("|")[0] for names in MONTHS if len(names.split("|")[0]) > 5}
    | {
        "july",
        "april",
        "after",
        "today",
        "tomorrow",
        "afternoon",
        "morning",
        "evening",
        "tonight",
        "before",
        "between",
        "around",
        "weekend",
    }
)
"""Words whose misspellings are understood."""
