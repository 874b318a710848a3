"""What the flows' files hold, found out in a process of its own: reading them runs the site's code."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wombat_ari.app.config import Settings

LIMIT_S = 20.0


@dataclass(frozen=True, slots=True)
class FlowFiles:
    flows: list[dict[str, Any]] = field(default_factory=list)  #: name, file, about
    mistakes: list[str] = field(default_factory=list)  #: file, line and what


def flow_files(settings: Settings) -> FlowFiles:
    """Blocks for as long as the files take to be read, some seconds at most."""
    folder = settings.flows_folder
    if not folder.is_dir():
        return FlowFiles()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WOMBAT_ARI_")}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, (str(Path(__file__).parents[2]), environment.get("PYTHONPATH")))
    )
    command = [sys.executable, "-m", "wombat_ari.flows.host", "--list", str(folder)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return FlowFiles(mistakes=[f"{folder}: reading the files takes longer than {LIMIT_S:g} s"])
    try:
        return FlowFiles(**json.loads(done.stdout))
    except ValueError:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
        return FlowFiles(mistakes=[f"{folder}: the files end the process that reads them: {said[0]}"])
