"""`circuit demo`'s REST API is what its OpenAPI document says: schemathesis asks every operation in every way that the
document allows, and in ways that it does not.

No answer is a 5xx, none is outside its schema, its statuses, its content types or its headers. First what only reads, over
the demo's own index, feed, run and documents; then what changes things; what deletes them last. The seed is fixed, and the
number of requests bounded. `pip install 'schemathesis==4.32.*'`. Prints `N passed, 0 failed`; ends with 1 if anything failed.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

BINARY = os.environ.get("TESTED_CIRCUIT") or str(Path(__file__).resolve().parents[2] / "target/release/circuit")
PROGRAM = Path(sys.executable).with_name("schemathesis")
SEED = os.environ.get("TESTED_SEED", "7")
STOP_SECONDS_MAX = 10
# What one pass may take.
SECONDS_MAX = 300
# Requests of each operation that are made up, beside those that cover the document's corners.
EXAMPLES = {"what only reads": 40, "what changes things": 25, "what deletes": 10}
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
SEARCHES = ["--include-path", "/search", "--include-path", "/indexes/{id}/search"]
PASSES = {
    "what only reads": [["--include-method", "GET"], SEARCHES],
    "what changes things": [["--exclude-method", "GET", "--exclude-method", "DELETE"]],
    "what deletes": [["--include-method", "DELETE"]],
}
SETTINGS = {name: value for name, value in os.environ.items() if not name.startswith("CIRCUIT_")}


def asked(demo, path, body=None):
    request = urllib.request.Request(
        f"{demo['url']}/api/v1{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {demo['api_key']}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def ready(demo):
    """Waits until the import is done, and files are read: what is asked for is there then."""
    for _ in range(120):
        feed = asked(demo, f"/feeds/{demo['feed']}")
        if feed["headline"] == "up to date" and feed["searchable"] and not feed["files_waiting"]:
            return
        time.sleep(1)
    raise AssertionError("the demo's import does not end")


def settings(demo, directory):
    """What the document's ids stand for: half of the requests would else ask for what is not there."""
    hit = asked(demo, f"/indexes/{demo['index']}/search?q=pump")["hits"][0]
    runs = asked(demo, f"/feeds/{demo['feed']}/runs")["runs"]
    ids = {demo["index"], demo["feed"], runs[-1]["id"]}
    assert ids == {"1"}, f"the demo's index, feed and first run have other ids than 1: {ids}"
    path = Path(directory) / "schemathesis.toml"
    path.write_text(
        "[parameters]\n"
        '"path.id" = "1"\n'
        f'"path.document" = {json.dumps(hit["document_id"])}\n'
        f'"path.passage" = {hit["passage"]}\n'
    )
    return path


def run(demo, config, name, chosen):
    ended = subprocess.run(
        [PROGRAM, "--config-file", config, "run", f"{demo['url']}/api/openapi.json", "--url", f"{demo['url']}/api/v1",
         "--header", f"Authorization: Bearer {demo['api_key']}", "--phases", "examples,coverage,fuzzing",
         "--checks", ",".join(CHECKS), "--seed", SEED, "--max-examples", str(EXAMPLES[name]), "--continue-on-failure",
         "--no-shrink", "--warnings", "off", "--request-timeout", "60", *chosen],
        env=SETTINGS, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS_MAX,
        cwd=config.parent,
    )
    if ended.returncode != 0:
        print(ended.stdout)
        raise AssertionError(f"schemathesis ended with {ended.returncode}")
    return next((line.strip() for line in ended.stdout.splitlines() if " generated" in line), "")


def alive(demo):
    with urllib.request.urlopen(f"{demo['url']}/readyz", timeout=10) as answer:
        assert answer.status == 200
    try:
        asked(demo, "/me")
    except urllib.error.HTTPError as refused:
        # Its own key may have been among what was deleted.
        assert refused.code == 401, refused


def main():
    demo_process = subprocess.Popen(
        [BINARY, "demo", "--connected", "--json", "--port", "0"],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=SETTINGS, text=True,
    )
    passed = failed = 0
    with tempfile.TemporaryDirectory() as directory:
        try:
            demo = json.loads(demo_process.stdout.readline())
            ready(demo)
            config = settings(demo, directory)
            for name, choices in PASSES.items():
                try:
                    told = [run(demo, config, name, chosen) for chosen in choices]
                    alive(demo)
                    passed += 1
                    print(f"ok    {name}: {'; '.join(told)}")
                except (AssertionError, subprocess.TimeoutExpired, OSError) as failure:
                    failed += 1
                    print(f"FAIL  {name}: {failure}")
        finally:
            demo_process.terminate()
            try:
                status = demo_process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                demo_process.kill()
                status = "nothing: it did not stop"
    if status != 0:
        failed += 1
        print(f"FAIL  the demo ended with {status} after SIGTERM")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
