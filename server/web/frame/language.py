"""One speech per request: the reader's language, the patient's clock, and every format a page uses."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from gettext import NullTranslations
from io import BytesIO
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import negotiate_locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal
from babel.support import Translations

from server.web.views.problem import Problem
from server.web.views.spark import Spark
from server.web.words import home, plans, team, terms
from server.web.words.catalogues import DOMAIN, LANGUAGES, LOCALES, compiled_bytes
from server.web.words.terms import N_
from vitals.metrics import METRICS
from vitals.reading import Extreme

DEFAULT = "nb"
_Day = date  # `Speech.date` hides the name
# Each language by its own name: whoever needs the switch does not read the language that is on.
NAMES = {"nb": "Bokmål", "nn": "Nynorsk", "en": "English"}
_FORMATS = {"nb": "nb_NO", "nn": "nn_NO", "en": "en_GB"}
# What browsers send; "no" and a bare "nb-NO" mean Bokmål here.
_ASKED = {"nb": "nb", "no": "nb", "nn": "nn", "en": "en"}

_TABLES = {**terms.TABLES, **home.TABLES, **plans.TABLES, **team.TABLES}

_TODAY = N_("%(time)s today")
_YESTERDAY = N_("%(time)s yesterday")
_THAT_DAY = N_("%(time)s on %(date)s")
_NOW = N_("less than a minute")
_MINUTES = N_("%(minutes)s min")
_HOURS = N_("%(hours)s h %(minutes)s min")
_WHOLE_HOURS = N_("%(hours)s h")
_DAYS = N_("%(days)s d %(hours)s h")
_WHOLE_DAYS = N_("%(days)s d")
_AND = N_("and")
_YES, _NO, _NOT_STATED = N_("yes"), N_("no"), N_("not stated")
_SPARK = N_("%(metric)s, the last %(count)s measurements: lowest %(lowest)s, highest %(highest)s, newest %(newest)s")


def choose(cookie: str | None, accepted: str | None) -> str:
    """The language to answer in: what the reader chose, else the browser's wish, else Bokmål."""
    if cookie in LANGUAGES:
        return str(cookie)
    for wish in (accepted or "").split(","):
        tag = wish.split(";")[0].strip().replace("_", "-")
        found = negotiate_locale([tag, tag.split("-")[0]], list(_ASKED), sep="-") if tag else None
        if found:
            return _ASKED[found]
    return DEFAULT


@cache
def translations(language: str) -> NullTranslations:
    """The words of a language: as compiled at set-up, or compiled now where the source is newer or alone."""
    folder = LOCALES / language / "LC_MESSAGES"
    source, compiled = folder / f"{DOMAIN}.po", folder / f"{DOMAIN}.mo"
    if compiled.is_file() and (not source.is_file() or compiled.stat().st_mtime >= source.stat().st_mtime):
        with compiled.open("rb") as file:
            return Translations(file, DOMAIN)
    return Translations(BytesIO(compiled_bytes(source, language)), DOMAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How to say things to this reader about this patient, now."""

    language: str
    zone: ZoneInfo
    now: datetime

    def __call__(self, text: str) -> str:
        return translations(self.language).gettext(text)

    def time(self, moment: datetime) -> str:
        """ "07:31"."""
        return self._format_time(moment, "HH:mm")

    def clock(self, moment: datetime) -> str:
        """ "07:31:05"."""
        return self._format_time(moment, "HH:mm:ss")

    def date(self, moment: datetime) -> str:
        """ "22. nov.", with the year when it is another one."""
        local = moment.astimezone(self.zone)
        same = local.year == self.now.astimezone(self.zone).year
        pattern = {"en": "d MMM"}.get(self.language, "d. MMM")
        return _date(local.date(), pattern if same else f"{pattern} y", self.language)

    def day(self, day: _Day) -> str:
        """ "22. nov."."""
        return format_date(day, {"en": "d MMM"}.get(self.language, "d. MMM"), locale=self.locale)

    def weekday(self, moment: datetime) -> str:
        """ "mandag"."""
        return format_date(moment.astimezone(self.zone).date(), "EEEE", locale=self.locale)

    def moment(self, moment: datetime) -> str:
        """ "07:31 i dag", "22:10 i går", "07:31 den 3. nov."."""
        days = (self.now.astimezone(self.zone).date() - moment.astimezone(self.zone).date()).days
        pattern = {0: _TODAY, 1: _YESTERDAY}.get(days, _THAT_DAY)
        return self(pattern) % {"time": self.time(moment), "date": self.date(moment)}

    def span(self, length: timedelta) -> str:
        """ "12 min", "2 t 5 min", "3 d 4 t"; "under ett minutt"."""
        minutes = int(length.total_seconds() // 60)
        hours, days = minutes // 60, minutes // 1440
        if minutes < 1:
            return self(_NOW)
        if hours < 1:
            return self(_MINUTES) % {"minutes": minutes}
        if days < 1:
            return self(_HOURS if minutes % 60 else _WHOLE_HOURS) % {"hours": hours, "minutes": minutes % 60}
        return self(_DAYS if hours % 24 else _WHOLE_DAYS) % {"days": days, "hours": hours % 24}

    def since(self, moment: datetime) -> str:
        """How long ago, as `span`; a moment in the future counts as now (clocks of devices may run ahead)."""
        return self.span(max(self.now - moment, timedelta(0)))

    def number(self, value: Decimal | int, decimals: int | None = None) -> str:
        """A number with the reader's comma, as many decimals as asked for."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "") if decimals is not None else "#,##0.###"
        return _decimal(value, pattern, self.language)

    def fraction(self, value: float) -> str:
        """A small number as a reader takes it in: "0,21", "3,4"."""
        return self.number(Decimal(str(round(value, 2 if value < 1 else 1))))

    def value(self, metric: str | None, value: Decimal | Extreme | str | None) -> str:
        """A value with its unit as a nurse writes it: "87 %", "82,4 kg", "for lav til å måles"."""
        if value is None:
            return "–"
        if value in (Extreme.LO, Extreme.HI):
            return self(terms.EXTREMES[str(value)])
        try:
            number = value if isinstance(value, Decimal) else Decimal(str(value))
        except InvalidOperation:
            return str(value)
        known = METRICS.get(metric or "")
        if metric is not None and metric in terms.ANSWERS:
            return self(terms.ANSWERS[metric][bool(number)])
        shown = self.number(known.rounded(number) if known else number, known.decimals if known else None)
        unit = terms.UNITS.get(known.unit, known.unit) if known else ""
        return f"{shown}\N{NO-BREAK SPACE}{unit}" if unit else shown

    def unit(self, metric: str) -> str:
        """A metric's unit as it stands on the instrument; empty where it has none."""
        unit = METRICS[metric].unit
        return terms.UNITS.get(unit, unit)

    def phone(self, number: str) -> str:
        """A telephone number as people read it aloud: "75 00 00 00", "116 117"."""
        digits = number.replace(" ", "")
        size = {8: 2, 6: 3}.get(len(digits)) if digits.isdigit() else None
        return number if size is None else " ".join(digits[at : at + size] for at in range(0, len(digits), size))

    def word(self, table: str, key: str) -> str:
        """The reader's word for one of ours; a key that nobody has translated is shown, never hidden."""
        known = _TABLES[table].get(key)
        return self(known) if known else key.replace("_", " ")

    def words(self, table: str, keys: Iterable[str]) -> str:
        """The reader's words for several of ours, in a row."""
        return ", ".join(self.word(table, key) for key in keys)

    def pairs(self, values: Iterable[tuple[str, Decimal]]) -> str:
        """Several metrics with a value each: "systolisk blodtrykk 179 mmHg og diastolisk blodtrykk 109 mmHg"."""
        told = [f"{self.word('metric', metric).lower()} {self.value(metric, value)}" for metric, value in values]
        return f" {self(_AND)} ".join(told)

    def stated(self, fact: str, value: object) -> str:
        """A fact that a clinician stated about a patient, or that nobody did."""
        if value is None:
            return self(_NOT_STATED)
        if isinstance(value, bool):
            return self(_YES if value else _NO)
        return self.value("spo2", Decimal(str(value))) if fact == "spo2_floor" else str(value)

    def problem(self, problem: Problem) -> str:
        """What is wrong with a field, with its values as the reader writes them."""
        return self(problem.text) % {
            name: self.value(problem.metric, value) if problem.metric else str(value)
            for name, value in problem.values.items()
        }

    def spark(self, line: Spark) -> str:
        """What the small line shows, in words."""
        return self(_SPARK) % {
            "metric": self.word("metric", line.metric),
            "count": line.count,
            "lowest": self.value(line.metric, line.lowest),
            "highest": self.value(line.metric, line.highest),
            "newest": self.value(line.metric, line.newest),
        }

    def within(self, zone: str) -> "Speech":
        """The same speech by another wall clock."""
        return replace(self, zone=ZoneInfo(zone))

    @property
    def locale(self) -> Locale:
        return _locale(self.language)

    def _format_time(self, moment: datetime, pattern: str) -> str:
        return _time(moment.astimezone(self.zone).time(), pattern, self.language)


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(_FORMATS[language])


# The same few numbers and times stand on a page again and again, and putting one into words takes long.
@lru_cache(maxsize=4096)
def _decimal(value: Decimal | int, pattern: str, language: str) -> str:
    return format_decimal(value, format=pattern, locale=_locale(language))


@lru_cache(maxsize=4096)
def _time(moment: time, pattern: str, language: str) -> str:
    return format_time(moment, pattern, locale=_locale(language))


@lru_cache(maxsize=4096)
def _date(day: date, pattern: str, language: str) -> str:
    return format_date(day, pattern, locale=_locale(language))
