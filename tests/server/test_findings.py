from server.findings import STALE_SECONDS, Findings
from server.watch.silence import Part, Silent


def test_findings_that_nobody_renews_are_themselves_a_silence() -> None:
    now = 100.0
    findings = Findings(lambda: now)
    assert (findings.looked, findings.silent) == (False, ())
    disk = Silent(part=Part.DISK, why="96 % of the disk is in use")
    findings.put((disk,))
    now += STALE_SECONDS
    assert (findings.looked, findings.silent) == (True, (disk,))
    now += 1
    assert [each.part for each in findings.silent] == [Part.LOOKOUT, Part.DISK]
