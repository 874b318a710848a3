"""The doctor's questions about flows: can their files be read, is each that is called there, can texts be spoken?"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from wombat_ari.app.config import Settings
from wombat_ari.app.doctor_words import Finding, bad, good, warning
from wombat_ari.app.flow_files import flow_files
from wombat_ari.flows.line import FlowError
from wombat_ari.flows.speech import programs_of
from wombat_ari.model.entities import EndPoint
from wombat_ari.model.states import EndPointType


def examine_flows(settings: Settings, end_points: Sequence[EndPoint]) -> list[Finding]:
    """Blocks: a process reads the files."""
    wanted = [end_point for end_point in end_points if end_point.type is EndPointType.FLOW]
    folder = settings.flows_folder
    if not wanted and not folder.is_dir():
        return []
    files = flow_files(settings)
    about = f"flows in {folder}"
    found = [bad(about, mistake, "correct the file; until then its last version is used") for mistake in files.mistakes]
    names = {each["name"] for each in files.flows}
    for end_point in wanted:
        if end_point.extension not in names:
            text = f"there is no flow {end_point.extension}: its calls will end with RS_ERROR"
            found.append(warning(f"end point {end_point.name}", text, f"write it: a file in {folder}"))
    if not found:
        found.append(good(about, ", ".join(sorted(names)) or "none"))
    return found + _speech(settings)


def _speech(settings: Settings) -> list[Finding]:
    command, about = settings["flows.speech_command"], "flows.speech_command"
    if not command.strip():
        return []
    try:
        missing = [words[0] for words in programs_of(command) if shutil.which(words[0]) is None]
    except FlowError as wrong:
        return [bad("flows", str(wrong), "see docs/flows.md")]
    if missing:
        return [bad(about, f"{missing[0]} is not there", "install it, or correct the command")]
    return [_folder_for_pbx(settings.speech_folder) or good(about, "its programs are there")]


def _folder_for_pbx(folder: Path) -> Finding | None:
    """Asterisk is another user: it must be let through each folder on the way."""
    if not folder.exists():
        return None
    shut = next((each for each in (folder, *folder.parents) if not each.stat().st_mode & 0o001), None)
    if shut is None:
        return None
    advice = "set flows.speech_folder to one that it can, or run both as one user"
    return warning("flows.speech_folder", f"{shut} lets no other users in: the PBX may not read the sounds", advice)
