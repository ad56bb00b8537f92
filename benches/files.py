#!/usr/bin/env python3
"""Given the attachments beside this repository, tells how much of each kind Circuit reads, and how fast, beside two public
extractors. Needs Python with `markitdown[all]` and `kreuzberg` installed; see docs/dev/files.md.

    cargo build --release -p files
    python benches/files.py [READER…]       readers: circuit, markitdown, kreuzberg; all by default
"""

import collections
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared" / "corpora" / "attachments"
READ_FILE = ROOT / "target" / "release" / "read-file"
SECONDS_MAX = 60


def circuit(path):
    """The text of a file as Circuit reads it, and the seconds that took."""
    done = subprocess.run([READ_FILE, path], capture_output=True, timeout=SECONDS_MAX, check=True)
    told = json.loads(done.stdout)
    text = told["text"].get("Ok")
    if text is None:
        return None, told["microseconds"] / 1e6
    lines = [text["title"] or "", text["author"] or ""]
    for piece in text["pieces"]:
        (kind, content), = piece["content"].items()
        if kind == "row":
            lines.append(" | ".join(content["cells"]))
        else:
            lines.append(content if isinstance(content, str) else content["text"])
        lines.extend(re.findall(r'"path": "([^"]*)"', json.dumps(piece.get("place"), ensure_ascii=False)))
    return "\n".join(lines), told["microseconds"] / 1e6


def markitdown():
    from markitdown import MarkItDown

    reader = MarkItDown()
    return lambda path: reader.convert(str(path)).text_content


def kreuzberg():
    import asyncio

    import kreuzberg

    def read(path):
        result = kreuzberg.extract_file_sync(str(path)) if hasattr(kreuzberg, "extract_file_sync") else None
        if result is None:
            result = asyncio.run(kreuzberg.extract_file(str(path)))
        return result.content

    return read


def timed(read):
    def both(path):
        begun = time.perf_counter()
        try:
            text = read(path)
        except BaseException as error:  # Some raise what is no Exception; all of it is a file that was not read.
            if isinstance(error, KeyboardInterrupt):
                raise
            text = None
        return text, time.perf_counter() - begun

    return both


def words(text):
    return collections.Counter(word.lower() for word in re.findall(r"\w+", text))


def recall(text, reference):
    wanted, found = words(reference), words(text or "")
    return sum(min(count, found[word]) for word, count in wanted.items()) / max(1, sum(wanted.values()))


def flat(text):
    return re.sub(r"\s+", " ", text or "")


def main():
    if not CORPUS.is_dir():
        sys.exit(f"{CORPUS} is not there: nothing to measure")
    samples = json.loads((CORPUS / "manifest.json").read_text())
    makers = {"circuit": lambda: circuit, "markitdown": lambda: timed(markitdown()), "kreuzberg": lambda: timed(kreuzberg())}
    chosen = sys.argv[1:] or list(makers)
    readers = {name: makers[name]() for name in chosen}
    for read in readers.values():
        # What is loaded at the first file is not the file's time.
        read(CORPUS / samples[0]["file"])
    table = collections.defaultdict(lambda: collections.defaultdict(list))
    found = collections.Counter()
    strings = 0
    for sample in samples:
        strings += len(sample.get("must_contain", []))
        for name, read in readers.items():
            text, seconds = read(CORPUS / sample["file"])
            found[name] += sum(flat(string) in flat(text) for string in sample.get("must_contain", []))
            row = table[sample["ext"]][name]
            reference = sample.get("reference_text")
            known = recall(text, (CORPUS / reference).read_text(errors="replace")) if reference else None
            row.append((known, seconds, text is not None))
    print("| kind | files |" + "".join(f" {name}: read | recall | median ms |" for name in chosen))
    print("|---|---|" + "---|---|---|" * len(chosen))
    for kind in sorted(table):
        cells = []
        for name in chosen:
            rows = table[kind][name]
            known = [recall for recall, _, _ in rows if recall is not None]
            mean = f"{100 * statistics.mean(known):.0f} %" if known else "–"
            read = sum(was_read for _, _, was_read in rows)
            cells.append(f" {read} | {mean} | {1000 * statistics.median(seconds for _, seconds, _ in rows):.1f} |")
        print(f"| {kind} | {len(table[kind][chosen[0]])} |" + "".join(cells))
    for name in chosen:
        rows = [row for kind in table.values() for row in kind[name]]
        known = [recall for recall, _, _ in rows if recall is not None]
        total = sum(seconds for _, seconds, _ in rows)
        print(
            f"{name}: {found[name]} of {strings} strings, recall {100 * statistics.mean(known):.1f} %, "
            f"{len(rows) / total:.0f} files a second, {total:.1f} s in all"
        )


if __name__ == "__main__":
    main()
