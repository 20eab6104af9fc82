import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from adscore import __version__
from tests.conftest import Run
from tests.golden import DEMO, assert_golden
from tests.tiny import paint, tiny_detector, tiny_spec

pytestmark = pytest.mark.usefixtures("detector_file")

HEADER = "path,score,threshold,is_anomaly,p_value,error\n"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for grey in (0, 102, 255):
        paint(tmp_path / "images" / "lot 1" / f"{grey}.png", grey)
    return tmp_path / "images"


@pytest.mark.usefixtures("images")
def test_a_folder_in_a_table_out(run: Run, tmp_path: Path) -> None:
    done = run("adscore", "./images", "--out", "results.csv")
    assert (done.returncode, done.stdout) == (0, "")
    assert re.fullmatch(
        r"detector: detector\.onnx\n"
        r"3 images, 1 anomalies above 0\.495, 0 unreadable, on cpu: results\.csv \([\d,]+ a second\)\n",
        done.stderr,
    )
    assert (tmp_path / "results.csv").read_text() == (
        HEADER + "lot 1/0.png,0,0.495000005,false,1,\n"
        "lot 1/102.png,0.160000011,0.495000005,false,0.68,\n"
        "lot 1/255.png,1,0.495000005,true,0.01,\n"
    )


def test_an_unreadable_image_is_a_row_and_exit_3(run: Run, images: Path) -> None:
    (images / "lot 1" / "1.png").write_bytes(b"no image")
    assert run("adscore", "images", "--fail-on-anomaly").returncode == 4
    done = run("adscore", "images")
    assert done.returncode == 3
    assert done.stdout.splitlines()[2] == (
        'lot 1/1.png,,0.495000005,,,"not an image in a known format (BMP, GIF, JPEG, PNG, PPM, TIFF, WEBP)"'
    )
    assert "\n4 images, 1 anomalies above 0.495, 1 unreadable, on cpu (" in done.stderr


@pytest.mark.usefixtures("images")
def test_anomalies_are_exit_4_only_if_asked(run: Run) -> None:
    assert run("adscore", "images", "--fail-on-anomaly").returncode == 4
    assert run("adscore", "images", "--fail-on-anomaly", "--threshold", "1").returncode == 0
    assert run("adscore", "images").returncode == 0


@pytest.mark.usefixtures("images")
def test_threshold_and_rate_override_the_file(run: Run) -> None:
    by_threshold = run("adscore", "images", "--threshold", "0.1").stdout.splitlines()
    assert [row.split(",")[2:4] for row in by_threshold[1:]] == [
        ["0.100000001", label] for label in ("false", "true", "true")
    ]
    by_rate = run("adscore", "images", "--fpr", "0.5").stdout.splitlines()
    assert by_rate[1].split(",")[2] == "0.25"


@pytest.mark.usefixtures("images")
def test_rate_that_the_file_cannot_promise_is_refused(run: Run) -> None:
    done = run("adscore", "images", "--fpr", "0.001")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[1:] == [
        "error: a false-alarm rate of 0.001 takes at least 999 held-out images (n >= 1/fpr - 1) and there are 99; "
        "ask for 0.01 or more, or hold out more images"
    ]


def test_list_on_stdin_and_json_lines(run: Run, images: Path) -> None:
    listed = f"{images}/lot 1/255.png\ngone.png\n"
    done = run("adscore", "-", "--out", "r.jsonl", stdin=listed)
    assert done.returncode == 3
    first, second = map(json.loads, (images.parent / "r.jsonl").read_text().splitlines())
    assert (first["path"], first["is_anomaly"]) == (f"{images}/lot 1/255.png", True)
    assert (second["path"], second["error"]) == ("gone.png", "No such file or directory")


@pytest.mark.parametrize("options", [["--batch-size", "1"], ["--batch-size", "5"], ["--threads", "1"]])
def test_tuning_changes_no_row(run: Run, options: list[str]) -> None:
    demo = [DEMO / "images", "--model", DEMO / "detector.onnx"]
    assert_golden(run("adscore", *demo, *options).stdout)


@pytest.mark.usefixtures("images")
def test_model_is_taken_from_the_variable(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other.bin").write_bytes(tiny_detector())
    done = run("adscore", "images", ADSCORE_MODEL="other.bin")
    assert done.stderr.startswith("detector: other.bin\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone"], "error: gone: no such file or folder; name images, a folder of images, or - for a list on stdin"),
        (
            [".", "--model", "gone.onnx"],
            "error: gone.onnx cannot be read (No such file or directory); give the path of",
        ),
        ([".", "--model", "images"], "error: images cannot be read (Is a directory); give the path of a"),
        (["images", "--out", "r.parquet"], "error: r.parquet: unknown kind of table; end the name in .csv or .jsonl"),
        (["images", "--provider", "cuda"], "error: provider cuda: this is a CPU build of ONNX Runtime"),
    ],
)
@pytest.mark.usefixtures("images")
def test_what_cannot_run_is_one_line_and_exit_1(run: Run, arguments: list[str], message: str) -> None:
    done = run("adscore", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(message)
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["images", "--threshold", "nan"], "Invalid value for --threshold: nan is no threshold; give a finite number"),
        ([], "Invalid value for IMAGES: name images, a folder of images, or - for a list on stdin"),
        (["images", "--fpr", "0"], "Invalid value for --fpr: a false-alarm rate lies between 0 and 1"),
        (
            ["images", "--fpr", "0.1", "--threshold", "1"],
            "Invalid value for --fpr: give one of --threshold, --fpr and --fdr",
        ),
        (
            ["images", "--json"],
            "Invalid value for --json: goes with --info; for a table as JSON use --out results.jsonl",
        ),
        (
            ["images", "--info"],
            "Invalid value for --info: prints the detector and scores nothing; leave the images out",
        ),
        (
            ["--info", "--fdr", "0.1"],
            "Invalid value for --fdr: decides on images, and --info scores none; leave it out",
        ),
        (["images", "--batch-size", "0"], "Invalid value for '--batch-size': "),
        (["images", "--provider", "gpu"], "Invalid value for '--provider': "),
    ],
)
def test_wrong_usage_is_exit_2(run: Run, arguments: list[str], message: str) -> None:
    done = run("adscore", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith(f"Error: {message}")


def test_version_tells_tool_and_format(run: Run) -> None:
    assert run("adscore", "--version").stdout == f"adscore {__version__} (detector format 3)\n"


def test_info_prints_the_spec(run: Run) -> None:
    text = run("adscore", "--info").stdout
    assert "threshold  0.495000005, split-conformal: false-alarm rate <= 0.01, from 99 held-out images\n" in text
    as_json = json.loads(run("adscore", "--info", "--json").stdout)
    assert as_json == json.loads(json.dumps(asdict(tiny_spec())))


def test_a_reader_that_stops_early_causes_no_traceback(images: Path, tmp_path: Path) -> None:
    listed = f"{images}/lot 1/0.png\n" * 5000
    adscore = Path(sys.executable).with_name("adscore")
    pipe = f"'{adscore}' - | head -n 1"
    done = subprocess.run(["bash", "-c", pipe], input=listed, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == HEADER
    assert done.stderr == "detector: detector.onnx\n"


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    ("shell", "message"),
    [
        ("adscore images > /dev/full", "error: stdout cannot be written (No space left on device); name a table"),
        ("adscore images >&-", "error: stdout is closed; name a table with --out"),
        ("adscore - <&-", "error: stdin is closed; name images or a folder of images"),
        (f"adscore {'x' * 300}.png", f"error: {'x' * 300}.png: cannot be looked at (File name too long); name images"),
        ("adscore images --out images", "error: images: unknown kind of table"),
        ("mkdir r.csv && adscore images --out r.csv", "error: r.csv: is a folder; name a file in it with --out"),
        (
            "adscore images --fpr 1e-320",
            "error: a false-alarm rate of 9.99989e-321 takes at least 999999999999999 held",
        ),
    ],
)
def test_faults_of_the_system_are_one_line(tmp_path: Path, shell: str, message: str) -> None:
    scripts = str(Path(sys.executable).parent)
    path = scripts + os.pathsep + os.environ["PATH"]
    command = ["bash", "-c", shell]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].startswith(message)
    assert b"Traceback" not in done.stderr


def test_python_m_adscore_is_the_same(run: Run) -> None:
    assert run("python", "-m", "adscore", "--version").stdout == run("adscore", "--version").stdout


@pytest.mark.usefixtures("images")
def test_streams_that_are_closed_are_no_fault_unless_the_table_goes_there(tmp_path: Path) -> None:
    def shell(redirection: str) -> subprocess.CompletedProcess[str]:
        command = f"{Path(sys.executable).with_name('adscore')} images {redirection}"
        return subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert shell("--out quiet.csv 2>&-").returncode == 0
    assert (tmp_path / "quiet.csv").read_text().startswith(HEADER)
    done = shell(">&-")
    assert done.returncode == 1
    assert done.stderr.endswith("error: stdout is closed; name a table with --out\n")


@pytest.mark.usefixtures("images")
def test_images_above_the_limits_are_rows_with_an_error(run: Run, images: Path) -> None:
    paint(images / "large.png", 0, size=(40, 25))
    rows = run("adscore", "images", "--max-pixels", "999").stdout.splitlines()
    assert rows[1] == "large.png,,0.495000005,,,40x25 pixels are more than the 999 allowed"
    assert run("adscore", "images", "--max-pixels", "1000").returncode == 0
    done = run("adscore", "images", "--max-bytes", "10")
    assert (done.returncode, done.stdout.count("bytes are more than the 10 allowed")) == (3, 4)
