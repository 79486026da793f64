"""Days of the year that have a name, English and Spanish. Whether nobody works on them is `holidays`' business."""

from bot.windows.meaning import CalendarDay, Day, EasterDay, InMonth, Shifted

_THANKSGIVING = InMonth(4, 3, 11)

ENGLISH_DAYS: dict[str, Day] = {
    "xmas|xmas day|christmas|christmas day|chrismas|xmass": CalendarDay(25, 12),
    "christmas eve|xmas eve": CalendarDay(24, 12),
    "boxing day": CalendarDay(26, 12),
    "new years eve|nye|new year eve": CalendarDay(31, 12),
    "new years day|new year|new years|new year day": CalendarDay(1, 1),
    "independence day": CalendarDay(4, 7),
    "juneteenth": CalendarDay(19, 6),
    "veterans day": CalendarDay(11, 11),
    "halloween": CalendarDay(31, 10),
    "valentines|valentines day|valentine day": CalendarDay(14, 2),
    "st patricks day|st paddys day|saint patricks day": CalendarDay(17, 3),
    "bonfire night": CalendarDay(5, 11),
    "thanksgiving|thanksgiving day|turkey day": _THANKSGIVING,
    "black friday": Shifted(_THANKSGIVING, 1),
    "memorial day": InMonth(-1, 0, 5),
    "labor day|labour day": InMonth(1, 0, 9),
    "mlk day|martin luther king day": InMonth(3, 0, 1),
    "presidents day": InMonth(3, 0, 2),
    "columbus day|indigenous peoples day": InMonth(2, 0, 10),
    "good friday": EasterDay(-2),
    "easter sunday|easter|easter day": EasterDay(0),
    "easter monday": EasterDay(1),
    "may day": CalendarDay(1, 5),
}

SPANISH_DAYS: dict[str, Day] = {
    "navidad|dia de navidad": CalendarDay(25, 12),
    "nochebuena": CalendarDay(24, 12),
    "fin de ano|nochevieja": CalendarDay(31, 12),
    "ano nuevo|dia de ano nuevo": CalendarDay(1, 1),
    "dia de reyes|reyes|dia de los reyes": CalendarDay(6, 1),
    "dia del trabajo|dia del trabajador": CalendarDay(1, 5),
    "dia de la independencia": CalendarDay(16, 9),
    "dia de muertos|dia de los muertos": CalendarDay(2, 11),
    "dia de la constitucion": CalendarDay(6, 12),
    "jueves santo": EasterDay(-3),
    "viernes santo": EasterDay(-2),
    "domingo de pascua|domingo de resurreccion": EasterDay(0),
    "lunes de pascua": EasterDay(1),
}
