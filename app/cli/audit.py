"""`millwright audit`: checks and reads the audit's file, also while the app is down."""

import argparse
import sys
from functools import partial
from pathlib import Path

import msgspec

from app.cli.options import add_settings_options, settings_of
from app.clock import SystemClock
from app.command_parser import command_parser, verb_parser, whole_number
from app.core.audit_chain import Verdict
from app.core.audit_row import AuditFilter, AuditRow, Outcome, target_words
from app.store.audit_check import check_chain
from app.store.audit_reader import AuditReader, reading

_MOST = 10_000
_add = partial(verb_parser, "millwright audit")


def main(argv: list[str]) -> int:
    """Check the chain, print its head, or list actions; 1 if the chain is broken.

    Raises:
        MillwrightError: There is no audit, or it cannot be read; one line says why.
    """
    arguments = _parser().parse_args(argv)
    path: Path = settings_of(arguments).data.dir / "audit.sqlite"
    verbs = {"verify": _verify, "head": _head, "list": _list}
    with reading(path) as reader:
        return verbs[arguments.verb](reader, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "millwright audit",
        "Check and read the record of who did what to the plant. Works on the file, over a\n"
        "connection that cannot write, whether the app runs or not.",
        "millwright audit verify",
        "millwright audit head >> /mnt/elsewhere/heads.txt",
        "millwright audit list --text pump --limit 20 --json",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verify|head|list")
    verify = _add(verbs.add_parser, "verify", "check every row against the one before it", "verify")
    verify.add_argument(
        "--last", type=whole_number(1, 10**9), help="check only so many rows at the end"
    )
    head = _add(verbs.add_parser, "head", "print number and hash of the last row", "head")
    listing = _add(verbs.add_parser, "list", "list actions, the newest first", "list --actor anna")
    listing.add_argument("--text", default="", help="part of actor, action, target, why or reason")
    for name in ("actor", "source", "action"):
        listing.add_argument(f"--{name}", default="", help="in full")
    listing.add_argument("--outcome", type=Outcome, choices=list(Outcome), help="what came of it")
    numbers = whole_number(1, 2**53)
    listing.add_argument("--before", type=numbers, help="only rows with a smaller number")
    listing.add_argument("--limit", type=whole_number(1, _MOST), default=50, help="default 50")
    for verb in (verify, head, listing):
        verb.add_argument("--json", action="store_true", help="JSON out")
        add_settings_options(verb)
    return parser


def _verify(reader: AuditReader, arguments: argparse.Namespace) -> int:
    verdict = check_chain(reader, SystemClock().now, arguments.last, _progress)
    if verdict is None:
        raise AssertionError("nobody stopped the check")
    _say(msgspec.json.encode(verdict).decode() if arguments.json else _words(verdict))
    return 0 if verdict.is_ok else 1


def _progress(done: int, total: int) -> bool:
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\rchecked {done} of {total} rows{end}")
        sys.stderr.flush()
    return True


def _words(verdict: Verdict) -> str:
    if verdict.flaw:
        before = f"{verdict.rows} rows were read"
        return f"broken: {verdict.flaw.reason}; {before}\n{verdict.remedy}"
    if verdict.head is None:
        return "ok: no row yet"
    which = "all" if verdict.is_whole else "the last"
    lines = [
        f"ok: {which} {verdict.rows} rows fit",
        f"head: {verdict.head.number} {verdict.head.hash}",
    ]
    if verdict.after_head:
        lines.append(f"rows newer than audit.head, as after a power cut: {verdict.after_head}")
    return "\n".join(lines)


def _head(reader: AuditReader, arguments: argparse.Namespace) -> int:
    tail = reader.link()
    head = tail.head if tail else None
    words = f"{head.number} {head.hash}" if head else "no row yet"
    _say(msgspec.json.encode(head).decode() if arguments.json else words)
    return 0


def _list(reader: AuditReader, arguments: argparse.Namespace) -> int:
    wanted = AuditFilter(
        text=arguments.text,
        actor=arguments.actor,
        source=arguments.source,
        action=arguments.action,
        outcome=arguments.outcome,
        before=arguments.before,
    )
    rows = reader.search(wanted, arguments.limit)
    if arguments.json:
        _say(msgspec.json.encode(rows).decode())
    else:
        _say("\n".join(map(_line, rows)) or "no action is noted that fits")
    return 0


def _line(row: AuditRow) -> str:
    why = f" ({row.why})" if row.why else ""
    reason = f": {row.reason}" if row.reason else ""
    who, on = f"{row.actor} by {row.source}", target_words(row.target)
    text = f"{row.number:>7} {row.at:%Y-%m-%d %H:%M:%S} UTC {who:20} {row.action} {on}"
    return " ".join(f"{text}{why} - {row.outcome}{reason}".split("\n"))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
