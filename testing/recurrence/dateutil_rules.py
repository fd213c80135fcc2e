"""Works out recurrence rules with python-dateutil and Python's own time zones.

Reads a JSON object a line, {rule, start, zone, limit, through}: `start` is a local time without an offset. Writes for each
{found: [ms since the epoch], walls: [local times], gave_up}: the first `limit` instants, none later than `through`. What dateutil does not do is
done here from RFC 5545: times that a zone leaves out or has twice, UNTIL in the zone, COUNT of instants.
"""

import json
import signal
import sys
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

try:
    from dateutil import __version__
    from dateutil.rrule import rrulestr
except ImportError:
    sys.exit(3)

# Of processor time, so that what is compared does not depend on what else the machine does.
SECONDS_PER_RULE = 0.012
HOUR = 3_600_000


class TooLong(Exception):
    pass


def too_long(*_):
    raise TooLong


def instant(wall, zone):
    """With fold=0 a time in a gap moves forward by the gap, and of a time that comes twice it is the first."""
    return round(wall.replace(tzinfo=zone, fold=0).timestamp() * 1000)


def until_of(text, zone):
    if text.endswith("Z"):
        return round(datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp() * 1000)
    if "T" in text:
        return instant(datetime.strptime(text, "%Y%m%dT%H%M%S"), zone)
    return instant(datetime.combine(datetime.strptime(text, "%Y%m%d") + timedelta(days=1), time()), zone) - 1000


def search(rule, zone, wanted, last):
    """The first instants, and whether there was no time for all that are wanted."""
    # What a spring gap moves comes after some of what follows; the whole day that Apia left out is the longest.
    gap = (25 if zone.key == "Pacific/Apia" else 2) * HOUR
    found = []
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_PER_RULE)
        enough = last
        for wall in rule:
            at = instant(wall, zone)
            found.append(at)
            if at > enough + gap:
                break
            if len(found) >= wanted and enough == last:
                first = sorted(set(found))
                if len(first) >= wanted:
                    enough = min(last, first[wanted - 1])
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        return sorted(set(found)), False
    except TooLong:
        return [at for at in sorted(set(found)) if at <= max(found) - gap], True


def work_out(case):
    zone = ZoneInfo(case["zone"])
    parts = dict(part.split("=") for part in case["rule"].split(";"))
    count = int(parts.pop("COUNT", 0)) or case["limit"]
    until = until_of(parts.pop("UNTIL"), zone) if "UNTIL" in parts else case["through"]
    start = datetime.fromisoformat(case["start"])
    first = instant(start, zone)
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        rule = rrulestr(text, dtstart=start)
    except ValueError as error:
        # Its way to say that no hour of the interval is one of BYHOUR.
        if "empty set" not in str(error):
            raise
        return {"found": [], "walls": [], "gave_up": False}
    wanted = min(count, case["limit"])
    last = min(until, case["through"])
    found, gave_up = search(rule, zone, wanted, last)
    kept = [at for at in found if first <= at <= last][:wanted]
    walls = [datetime.fromtimestamp(at / 1000, zone).isoformat()[:19] for at in kept]
    return {"found": kept, "walls": walls, "gave_up": gave_up}


signal.signal(signal.SIGVTALRM, too_long)
print(json.dumps({"version": __version__}), flush=True)
for line in sys.stdin:
    print(json.dumps(work_out(json.loads(line))), flush=True)
