"""An unmodified public client of Confluence Cloud reads `circuit fake-atlassian`.

The client is atlassian-python-api 5.0, as it comes. It lists spaces, pages with bodies, comments and attachments, and
downloads a file. Prints `N passed, 0 failed`; ends with 1 if anything failed.
"""

import json
import os
import subprocess
import sys
import traceback
import warnings
from pathlib import Path

import requests
from atlassian import ConfluenceCloud, ConfluenceV2

# Said by the client about itself at every start.
warnings.filterwarnings("ignore", category=DeprecationWarning)

BINARY = os.environ.get("TESTED_CIRCUIT") or Path(__file__).resolve().parents[2] / "target/release/circuit"
# Small enough that every listing of the demo's company takes several pages.
PAGE_SIZE = 25
STOP_SECONDS_MAX = 10
# How the files of a media type begin.
BEGINNINGS = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": b"PK\x03\x04",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": b"PK\x03\x04",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": b"PK\x03\x04",
}


class Reader:
    """One person's view of one site, through the client."""

    def __init__(self, fake):
        site, person = fake["sites"][0], fake["people"][0]
        gateway = f"{fake['base']}/ex/confluence/{site['cloud_id']}"
        self.gateway, self.token = gateway, person["access_token"]
        self.v2 = ConfluenceV2(f"{gateway}/wiki", token=self.token)
        self.v1 = ConfluenceCloud(f"{gateway}/wiki/rest/api", token=self.token)
        self.seen = {}

    def spaces(self):
        if "spaces" not in self.seen:
            self.seen["spaces"] = self.v2.get_spaces(limit=2)
        return self.seen["spaces"]

    def pages(self):
        """All pages of the first spaces that have some."""
        if "pages" not in self.seen:
            pages = []
            for space in self.spaces():
                pages += self.v2.get_pages(
                    space_id=space["id"], body_format="storage", limit=PAGE_SIZE, sort="id"
                )
            self.seen["pages"] = pages
        return self.seen["pages"]

    def attachments(self):
        """Pairs of a page and its attachments; the client has no call of its own for v2's listing."""
        if "attachments" not in self.seen:
            found = []
            for page in self.pages():
                listed = list(self.v2._get_paged(f"api/v2/pages/{page['id']}/attachments", params={"limit": PAGE_SIZE}))
                found += [(page, attachment) for attachment in listed]
                if len(found) >= 10:
                    break
            self.seen["attachments"] = found
        return self.seen["attachments"]


def spaces_are_listed_over_several_pages(reader):
    spaces = reader.spaces()
    assert len(spaces) > 2, f"only {len(spaces)} spaces"
    assert len({space["id"] for space in spaces}) == len(spaces), "a space comes twice"
    assert all(space["key"] and space["name"] and isinstance(space["id"], str) for space in spaces)


def a_space_is_found_by_key_and_by_id(reader):
    space = reader.spaces()[-1]
    assert reader.v2.get_space_by_key(space["key"])["id"] == space["id"]
    assert reader.v2.get_space(space["id"])["key"] == space["key"]


def pages_come_with_bodies_over_several_pages(reader):
    pages = reader.pages()
    assert len(pages) > PAGE_SIZE, f"only {len(pages)} pages"
    assert len({page["id"] for page in pages}) == len(pages), "a page comes twice"
    with_text = [page for page in pages if page["body"]["storage"]["value"].strip()]
    assert len(with_text) > len(pages) // 2, f"{len(with_text)} of {len(pages)} pages have a body"
    assert all(page["body"]["storage"]["representation"] == "storage" for page in with_text)
    assert all(page["version"]["number"] >= 1 and page["authorId"] for page in pages)


def a_page_by_id_is_the_page_of_the_listing(reader):
    listed = reader.pages()[0]
    page = reader.v2.get_page_by_id(listed["id"], body_format="storage")
    for field in ("id", "title", "spaceId", "authorId"):
        assert page[field] == listed[field], field
    assert page["body"]["storage"]["value"] == listed["body"]["storage"]["value"]
    rich = reader.v2.get_page_by_id(listed["id"], body_format="atlas_doc_format")
    assert json.loads(rich["body"]["atlas_doc_format"]["value"])["type"] == "doc"


def a_page_is_found_by_its_title(reader):
    listed = reader.pages()[0]
    found = reader.v2.get_pages(space_id=listed["spaceId"], title=listed["title"], body_format="storage")
    assert [page["id"] for page in found] == [listed["id"]]


def comments_come_with_bodies(reader):
    footer, inline = [], []
    for page in reader.pages():
        footer += reader.v2.get_page_footer_comments(page["id"], body_format="storage", limit=PAGE_SIZE)
        inline += reader.v2.get_page_inline_comments(page["id"], body_format="storage", limit=PAGE_SIZE)
        if footer and inline:
            break
    assert footer, "no page has a footer comment"
    assert inline, "no page has an inline comment"
    assert all(comment["body"]["storage"]["value"].strip() for comment in footer + inline)
    assert all("resolutionStatus" in comment for comment in inline)


def labels_are_listed(reader):
    for page in reader.pages():
        labels = reader.v2.get_page_labels(page["id"])
        if labels:
            assert all(label["name"] for label in labels)
            return
    raise AssertionError("no page has a label")


def attachments_are_listed(reader):
    attachments = reader.attachments()
    assert attachments, "no page has an attachment"
    for page, attachment in attachments:
        assert attachment["id"].startswith("att"), attachment["id"]
        assert attachment["pageId"] == page["id"]
        assert attachment["fileSize"] > 0


def a_file_is_downloaded_without_giving_the_token_away(reader):
    for page, attachment in reader.attachments():
        path = f"rest/api/content/{page['id']}/child/attachment/{attachment['id']}/download"
        redirect = reader.v2.request("GET", path, advanced_mode=True, allow_redirects=False)
        assert redirect.status_code == 302, f"{path} answers {redirect.status_code}"
        signed = redirect.headers["Location"]
        with requests.Session() as session:
            session.trust_env = False
            file = session.get(signed, timeout=30)
            assert file.status_code == 200, f"the signed address answers {file.status_code}"
            refused = session.get(signed, headers={"Authorization": f"Bearer {reader.token}"}, timeout=30)
        assert len(file.content) == attachment["fileSize"], f"{attachment['title']} has {len(file.content)} bytes"
        beginning = BEGINNINGS.get(attachment.get("mediaType"))
        assert beginning is None or file.content.startswith(beginning), f"{attachment['title']} is something else"
        assert refused.status_code >= 400, "the signed address takes an Authorization header"


def cql_finds_a_page_by_its_title(reader):
    title = reader.pages()[0]["title"].replace('"', "")
    found = reader.v1.search_content(f'type = page and title = "{title}"', limit=PAGE_SIZE)
    assert title in [row["title"] for row in found["results"]], found


def the_person_of_the_token_is_told(reader):
    me = reader.v2.get("rest/api/user/current")
    assert me["accountId"] and me["displayName"]


def withdrawn_reads_are_gone(reader):
    answer = reader.v2.request("GET", "rest/api/space", advanced_mode=True)
    assert answer.status_code == 410, answer.status_code


def a_page_that_is_not_there_is_not_found(reader):
    answer = reader.v2.request("GET", "api/v2/pages/999999999999", advanced_mode=True)
    assert answer.status_code == 404, answer.status_code


def a_wrong_token_is_refused(reader):
    answer = requests.get(
        f"{reader.gateway}/wiki/api/v2/spaces", headers={"Authorization": "Bearer nobody"}, timeout=30
    )
    assert answer.status_code in (401, 403), answer.status_code


CHECKS = [
    spaces_are_listed_over_several_pages,
    a_space_is_found_by_key_and_by_id,
    pages_come_with_bodies_over_several_pages,
    a_page_by_id_is_the_page_of_the_listing,
    a_page_is_found_by_its_title,
    comments_come_with_bodies,
    labels_are_listed,
    attachments_are_listed,
    a_file_is_downloaded_without_giving_the_token_away,
    cql_finds_a_page_by_its_title,
    the_person_of_the_token_is_told,
    withdrawn_reads_are_gone,
    a_page_that_is_not_there_is_not_found,
    a_wrong_token_is_refused,
]


def main():
    settings = {name: value for name, value in os.environ.items() if not name.startswith("CIRCUIT_")}
    fake = subprocess.Popen(
        [BINARY, "fake-atlassian", "--json"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=settings, text=True
    )
    failed = 0
    try:
        line = fake.stdout.readline()
        if not line:
            print("circuit fake-atlassian said nothing", file=sys.stderr)
            return 1
        reader = Reader(json.loads(line))
        for check in CHECKS:
            try:
                check(reader)
                print(f"ok    {check.__name__}")
            except Exception:
                failed += 1
                print(f"FAIL  {check.__name__}")
                traceback.print_exc(file=sys.stdout)
    finally:
        fake.terminate()
        try:
            status = fake.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            fake.kill()
            status = "nothing: it did not stop"
    if status != 0:
        failed += 1
        print(f"FAIL  the fake ended with {status} after SIGTERM")
    print(f"{len(CHECKS) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
