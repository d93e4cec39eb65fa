"""OHIF as a hospital would run it: its released files from a web server, the images from Orthanc's DICOMweb."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.parts import orthanc, web
from launcher import bundle
from launcher.places import VENV

VERSION = "3.13.2"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
CACHE = VENV / "bench" / f"ohif-{VERSION}"
CONFIG = """window.config = {
  routerBasename: null, extensions: [], modes: [], customizationService: {}, showStudyList: true,
  maxNumberOfWebWorkers: 3, showWarningMessageForCrossOrigin: false, showCPUFallbackMessage: false,
  showLoadingIndicator: true, strictZSpacingForVolumeViewport: true, groupEnabledModesFirst: true,
  maxNumRequests: { interaction: 100, thumbnail: 5, prefetch: 25 }, defaultDataSourceName: 'orthanc',
  dataSources: [{ namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'orthanc',
    configuration: { friendlyName: 'Orthanc', name: 'orthanc', wadoUriRoot: 'ROOT/wado', qidoRoot: 'ROOT/dicom-web',
      wadoRoot: 'ROOT/dicom-web', qidoSupportsIncludeField: false, imageRendering: 'wadors',
      thumbnailRendering: 'wadors', enableStudyLazyLoad: true, supportsFuzzyMatching: false, supportsWildcard: true,
      dicomUploadEnabled: false, omitQuotationForMultipartRequest: true } }],
};
"""
SERVER = """
from pathlib import Path
from whitenoise import WhiteNoise
HOME = Path({home!r})
def shell(environ, start_response):
    page = (HOME / "index.html").read_bytes()
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(page)))])
    return [page]
application = WhiteNoise(shell, root=HOME, max_age=31536000)
"""


class Missing(Exception):
    """It cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Ohif:
    url: str

    def viewer(self, study: str, protocol: str) -> str:
        return f"{self.url}/viewer?StudyInstanceUIDs={study}&hangingProtocolId={protocol}"


def files() -> Path:
    """Give the folder of OHIF's released files; fetched once, into the environment's folder."""
    if CACHE.is_dir():
        return CACHE
    node = bundle.find_node()
    if node is None:
        raise Missing("there is no Node with npm to fetch OHIF with")
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as folder:
        args = [*node.npm, "pack", f"@ohif/app@{VERSION}", "--silent", "--pack-destination", folder]
        done = subprocess.run(args, env=dict(node.environment()), capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing(f"OHIF {VERSION} could not be fetched from the npm registry")
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            archive.extractall(folder, filter="data")
        dist = Path(folder) / "package" / "dist"
        for waste in (*dist.glob("*.map"), dist / "sw.js"):
            waste.unlink(missing_ok=True)
        os.replace(dist, CACHE)
    return CACHE


@contextmanager
def running(folder: Path, images: list[Path]) -> Iterator[Ohif]:
    """Run OHIF and an Orthanc that holds the images for the length of a block."""
    if orthanc.PROGRAM is None or not PLUGIN.exists():
        raise Missing("Orthanc or its DICOMweb plugin is not installed (Debian: apt-get install orthanc-dicomweb)")
    dist = files()
    home = folder / "ohif"
    shutil.copytree(dist, home, copy_function=os.link)
    more = {
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        "HttpCompressionEnabled": False,
    }
    with orthanc.running(folder / "orthanc", more=more) as (port, _):
        orthanc.ingest(port, images)
        (home / "app-config.js").unlink()
        (home / "app-config.js").write_text(CONFIG.replace("ROOT", f"http://127.0.0.1:{port}"))
        (folder / "ohif_files.py").write_text(SERVER.format(home=str(home)))
        env = {"PATH": os.defpath, "PYTHONPATH": str(folder)}
        with web.gunicorn("ohif_files:application", env, folder / "ohif.log") as url:
            yield Ohif(url)
