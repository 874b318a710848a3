"""QM_COMPATIBLE logging: what a real Asterisk writes into its queue_log for a campaign's calls."""

from __future__ import annotations

from tests.system.conftest import NewSite
from tests.system.site import server_of, until
from tests.system.witness import Witness

#: number -> the events of its lines, in order
WANTED = {
    "5551050501": ["ENTERQUEUE", "CONNECT", "COMPLETECALLER"],
    "5552050002": ["ENTERQUEUE", "ABANDON"],
    "5554050003": ["ENTERQUEUE", "ABANDON"],
}


def test_the_lines_of_a_campaign(new_site: NewSite, witness: Witness) -> None:
    site = new_site()
    site.apply(
        {
            "server": [server_of(witness.pbx)],
            "trunk": [{"name": "T", "dial_string": "Local/${num}@simulated-network/n", "capacity": 5}],
            "end_point": [
                {"name": "status", "extension": "103", "context": "simulated-endpoints", "max_channels": 5},
            ],
            "list": [{"name": "people"}],
            "campaign": [
                {
                    "name": "Sales",
                    "trunks": ["T"],
                    "end_points": ["status"],
                    "lists": ["people"],
                    "logging": "QM_COMPATIBLE",
                    "logging_alias": "outbound|sales",
                    "logging_attributes": "CITY,HEARD",
                }
            ],
        }
    )
    site.fill("people", [f"{number},CITY:Bern|Thun" for number in WANTED])
    site.serve()
    site.await_pbx()
    site.run("Sales")
    site.finish()
    numbers = {f"wbt-{row['wombatid']:016d}": row["number"] for row in site.attempts()}

    def written() -> dict[str, list[list[str]]]:
        lines: dict[str, list[list[str]]] = {}
        for line in (witness.pbx.directory / "log" / "queue_log").read_text("utf-8").splitlines():
            fields = line.split("|")
            if fields[1] in numbers:
                lines.setdefault(numbers[fields[1]], []).append(fields)
        return lines

    until(lambda: sum(map(len, written().values())) >= 11, 10, "all lines are written")
    found = written()
    more = ("CALLSTATUS", "INFO")
    events = {number: [fields[4] for fields in lines if fields[4] not in more] for number, lines in found.items()}
    assert events == WANTED
    assert {tuple(lines[-1][4:]) for lines in found.values()} == {("INFO", "CITY", "Bern/Thun")}
    assert {fields[2] for lines in found.values() for fields in lines} == {"outbound/sales"}
    answered = {fields[4]: fields for fields in found["5551050501"]}
    assert answered["ENTERQUEUE"][5:] == ["", "5551050501", "1"]
    assert answered["CONNECT"][3] == answered["COMPLETECALLER"][3] == "status"
    assert answered["CALLSTATUS"][5:] == ["2"]
