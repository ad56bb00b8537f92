"""Unmodified public MCP clients use `circuit demo`'s /mcp and `circuit mcp`.

The Python client `mcp` lists the tools, searches, fetches and pages, over Streamable HTTP and over standard input and
output. With TESTED_MCP_NPM, a directory in which npm installed them, the command line of the MCP inspector does the same,
and the scenarios of the official conformance suite run that a server without test tools can pass. Prints `N passed, 0
failed`; ends with 1 if anything failed.
"""

import asyncio
import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
import traceback
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from mcp import ClientSession, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

BINARY = os.environ.get("TESTED_CIRCUIT") or str(Path(__file__).resolve().parents[2] / "target/release/circuit")
NPM = os.environ.get("TESTED_MCP_NPM")
STOP_SECONDS_MAX = 10
# What one program may take.
SECONDS_MAX = 120
# Bytes of text in one answer of a tool.
TEXT_BYTES_MAX = 32 << 10
PAGES_MAX = 200
# The suite's other scenarios call tools, prompts and resources of its own test server: docs/dev/mcp.md says which and why.
SCENARIOS = ["server-initialize", "ping", "tools-list", "resources-list", "dns-rebinding-protection"]

SETTINGS = {name: value for name, value in os.environ.items() if not name.startswith("CIRCUIT_")}


def made_key(demo, name, **limits):
    """An API key of the demo's administrator that reaches no further than `limits`."""
    request = urllib.request.Request(
        f"{demo['url']}/api/v1/api-keys",
        data=json.dumps({"name": name, **limits}).encode(),
        headers={"Authorization": f"Bearer {demo['api_key']}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["secret"]


class Asked:
    """One session, whatever carries it."""

    def __init__(self, session):
        self.session = session

    async def call(self, tool, **arguments):
        answer = await self.session.call_tool(tool, arguments)
        assert not answer.is_error, answer.content
        assert len(answer.content) == 1 and answer.content[0].type == "text"
        # Clients of deep research read the text; others the structure, which the client held against the tool's schema.
        assert json.loads(answer.content[0].text) == answer.structured_content
        assert "never instructions" in answer.structured_content["notice"]
        return answer.structured_content

    async def refused(self, tool, **arguments):
        answer = await self.session.call_tool(tool, arguments)
        assert answer.is_error, answer
        return answer.content[0].text


async def tools_are_listed(asked):
    tools = {tool.name: tool for tool in (await asked.session.list_tools()).tools}
    assert sorted(tools) == ["fetch", "list_indexes", "search"], sorted(tools)
    for tool in tools.values():
        assert tool.annotations.read_only_hint and tool.description and tool.output_schema
    listed = await asked.call("list_indexes")
    assert listed["indexes"] and listed["indexes"][0]["spaces"][0]["checked_at"], listed


async def a_search_gives_what_an_answer_cites(asked):
    found = await asked.call("search", query="pump")
    assert found["results"], "nothing is found"
    for result in found["results"]:
        for field in ("id", "title", "url", "text", "updated_at", "space", "breadcrumb"):
            assert field in result, f"{field} is missing: {result}"
        assert result["url"].startswith("http") and result["space"]["checked_at"]
    only = await asked.call("search", query="pump", type=["page"], space=[found["results"][0]["space"]["key"]])
    assert all(result["type"] == "page" for result in only["results"])
    assert "there are" in await asked.refused("search", query="pump", space=["NO-SUCH-SPACE"])


async def results_are_paged_without_gap_or_repetition(asked):
    whole, paged, cursor = [], [], None
    for limit, results in ((20, whole), (3, paged)):
        for _ in range(PAGES_MAX):
            found = await asked.call("search", query="", limit=limit, **({"cursor": cursor} if cursor else {}))
            assert 0 < len(found["results"]) <= limit
            assert sum(len(result["text"].encode()) for result in found["results"]) <= TEXT_BYTES_MAX
            results += [result["id"] for result in found["results"]]
            cursor = found.get("next_cursor")
            if not cursor or len(results) >= 30:
                break
        cursor = None
    common = min(len(whole), len(paged))
    assert common > 9 and whole[:common] == paged[:common], (whole, paged)
    assert len(set(whole)) == len(whole), "a document comes twice"


async def documents_are_fetched_to_their_end(asked):
    found = await asked.call("search", query="pump")
    for result in found["results"]:
        read = await asked.call("fetch", id=result["id"])
        assert read["id"] == result["id"] and read["url"].startswith("http") and read["metadata"]["updated_at"]
        for _ in range(PAGES_MAX):
            assert len(read["text"].encode()) <= TEXT_BYTES_MAX
            if "next_cursor" not in read:
                break
            read = await asked.call("fetch", id=result["id"], cursor=read["next_cursor"])
        assert "next_cursor" not in read
        await asked.call("fetch", id=result["id"], passage=result["passage"])
    assert "search again" in await asked.refused("fetch", id=f"{found['results'][0]['id']}999999")


async def documents_are_resources(asked):
    listed = await asked.session.list_resources()
    assert listed.resources and all(str(resource.uri).startswith("circuit://") for resource in listed.resources)
    read = await asked.session.read_resource(listed.resources[0].uri)
    assert read.contents[0].mime_type == "text/markdown" and "never instructions" in read.contents[0].text
    templates = await asked.session.list_resource_templates()
    assert templates.resource_templates[0].uri_template == "circuit://{index}/{document}"
    try:
        await asked.session.call_tool("delete_everything", {})
    except MCPError:
        pass
    else:
        raise AssertionError("a tool that is not there was called")


CHECKS = [
    tools_are_listed,
    a_search_gives_what_an_answer_cites,
    results_are_paged_without_gap_or_repetition,
    documents_are_fetched_to_their_end,
    documents_are_resources,
]


async def over_http(demo, key):
    client = httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=SECONDS_MAX, trust_env=False)
    async with client, streamable_http_client(f"{demo['url']}/mcp", http_client=client) as (read, write):
        await through(read, write)


async def over_pipes(demo, key):
    server = StdioServerParameters(
        command=BINARY, args=["mcp", "--url", demo["url"]], env={**SETTINGS, "CIRCUIT_API_KEY": key}
    )
    async with stdio_client(server) as (read, write):
        await through(read, write)


async def through(read, write):
    async with ClientSession(read, write) as session:
        told = await session.initialize()
        assert told.server_info.name == "circuit" and "never follow instructions" in told.instructions
        for check in CHECKS:
            await check(Asked(session))


def streamable_http(demo):
    asyncio.run(over_http(demo, demo["api_key"]))
    asyncio.run(over_http(demo, made_key(demo, "reads one index", indexes=[demo["index"]])))


def standard_input_and_output(demo):
    asyncio.run(over_pipes(demo, demo["api_key"]))


def the_bridge_says_what_is_wrong(demo):
    def ended(*arguments, **settings):
        run = subprocess.run(
            [BINARY, "mcp", *arguments], env={**SETTINGS, **settings}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=SECONDS_MAX,
        )
        assert not run.stdout, run.stdout
        return run.returncode, run.stderr

    status, said = ended("--url", demo["url"], CIRCUIT_API_KEY="circuit_wrong")
    assert status == 1 and "does not accept the API key" in said, said
    status, said = ended("--url", "http://127.0.0.1:9", CIRCUIT_API_KEY=demo["api_key"])
    assert status == 1 and "does not answer" in said, said
    status, said = ended("--url", demo["url"])
    assert status == 1 and "no API key is given" in said, said


def the_inspectors_command_line(demo):
    def inspected(*arguments):
        run = subprocess.run(
            ["npx", "--no-install", "mcp-inspector", "--cli", f"{demo['url']}/mcp", "--transport", "http",
             "--header", f"Authorization: Bearer {demo['api_key']}", "--method", *arguments],
            cwd=NPM, env=SETTINGS, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS_MAX,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return json.loads(run.stdout)

    def called(tool, **arguments):
        given = [part for name, value in arguments.items() for part in ("--tool-arg", f"{name}={value}")]
        return inspected("tools/call", "--tool-name", tool, *given)["structuredContent"]

    assert {tool["name"] for tool in inspected("tools/list")["tools"]} == {"list_indexes", "search", "fetch"}
    found = called("search", query="pump", limit=2)
    more = called("search", query="pump", limit=2, cursor=found["next_cursor"])
    ids = [result["id"] for result in found["results"] + more["results"]]
    assert len(set(ids)) == 4, ids
    assert called("fetch", id=ids[0])["text"]
    assert inspected("resources/list")["resources"]


class WithKey(http.server.BaseHTTPRequestHandler):
    """Passes everything on with an API key: the conformance suite has no way to send one."""

    protocol_version = "HTTP/1.1"
    demo = None

    def passed(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        to = http.client.HTTPConnection(urlsplit(self.demo["url"]).netloc, timeout=SECONDS_MAX)
        to.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            # The names under which the suite knows this place are those under which Circuit answers, but for the port.
            value = value.replace(f":{self.server.server_port}", f":{urlsplit(self.demo['url']).port}")
            to.putheader(name, value)
        to.putheader("Authorization", f"Bearer {self.demo['api_key']}")
        to.endheaders(body or None)
        answer = to.getresponse()
        text = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        to.close()

    do_GET = do_POST = do_DELETE = passed

    def log_message(self, *_):
        pass


def the_conformance_suite(demo):
    WithKey.demo = demo
    between = http.server.ThreadingHTTPServer(("localhost", 0), WithKey)
    threading.Thread(target=between.serve_forever, daemon=True).start()
    suite = Path(NPM) / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
    newer = Path(NPM) / "node_modules/.bin/node"
    node = str(newer) if newer.exists() else "node"
    try:
        for scenario in SCENARIOS:
            run = subprocess.run(
                [node, str(suite), "server", "--url", f"http://localhost:{between.server_port}/mcp", "--scenario", scenario],
                cwd=NPM, env=SETTINGS, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS_MAX,
            )
            assert run.returncode == 0, f"{scenario}: {run.stdout}{run.stderr}"
            print(f"      {scenario}")
    finally:
        between.shutdown()


WAYS = [streamable_http, standard_input_and_output, the_bridge_says_what_is_wrong]
if NPM:
    WAYS += [the_inspectors_command_line, the_conformance_suite]


def main():
    demo = subprocess.Popen(
        [BINARY, "demo", "--connected", "--json", "--port", "0"],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=SETTINGS, text=True,
    )
    failed = 0
    try:
        line = demo.stdout.readline()
        if not line:
            print("circuit demo said nothing", file=sys.stderr)
            return 1
        for way in WAYS:
            try:
                way(json.loads(line))
                print(f"ok    {way.__name__}")
            except BaseException:
                failed += 1
                print(f"FAIL  {way.__name__}")
                traceback.print_exc(file=sys.stdout)
    finally:
        demo.terminate()
        try:
            status = demo.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            demo.kill()
            status = "nothing: it did not stop"
    if status != 0:
        failed += 1
        print(f"FAIL  the demo ended with {status} after SIGTERM")
    print(f"{len(WAYS) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
