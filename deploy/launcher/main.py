"""The command line of `./run`."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from launcher import bench, bundle, checks, locks, packages, production, suite
from launcher.context import Context, setup_lock
from launcher.demo import Demo
from launcher.places import LOOPBACK, ROOT, Ended, Stop

Command = Callable[[Context, argparse.Namespace], int]


def do_demo(context: Context, given: argparse.Namespace) -> int:
    return Demo(context, folder=given.data, port=given.port, cases=given.cases, reset=given.reset).carry_out()


def do_test(context: Context, given: argparse.Namespace) -> int:
    return suite.carry_out(context, given.rest)


def do_check(context: Context, _given: argparse.Namespace) -> int:
    return checks.carry_out(context)


def do_bench(context: Context, given: argparse.Namespace) -> int:
    return bench.carry_out(context, given.name)


def do_serve(context: Context, _given: argparse.Namespace) -> int:
    return production.serve(context)


def do_worker(context: Context, _given: argparse.Namespace) -> int:
    return production.worker(context)


def do_receiver(context: Context, _given: argparse.Namespace) -> int:
    return production.receiver(context)


def do_manage(context: Context, given: argparse.Namespace) -> int:
    return production.manage(context, given.rest)


def do_lock(context: Context, given: argparse.Namespace) -> int:
    with setup_lock(context):
        return locks.regenerate(context, upgrade=given.upgrade)


def do_setup(context: Context, given: argparse.Namespace) -> int:
    with setup_lock(context):
        packages.ensure(context, dev=given.dev)
        if not given.no_viewer:
            bundle.ensure(context)
    return 0


def port_number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not a port between 1 and 65535")
    return number


def case_count(text: str) -> int:
    number = int(text)
    if not 4 <= number <= 500:
        raise argparse.ArgumentTypeError(f"{number} is not between 4 and 500")
    return number


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="./run", description="Spondy: blinded reader studies of spine imaging.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, carry_out: Command, help_text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help_text, description=help_text)
        made.set_defaults(carry_out=carry_out)
        return made

    made = command("demo", do_demo, "set everything up and start a demo on this machine")
    made.add_argument("--port", type=port_number, help=f"port on {LOOPBACK} (default: 8000 or the next free one)")
    made.add_argument("--data", type=Path, default=ROOT / "var", help="data folder (default: var)")
    made.add_argument("--cases", type=case_count, default=24, help="cases of the open demo study (default: 24)")
    made.add_argument("--reset", action="store_true", help="first delete what an earlier demo left in the data folder")
    command("test", do_test, "run every check and every test; with arguments for pytest only those, on SQLite")
    command("check", do_check, "format, lint, types, import contracts, templates, migrations, locks, viewer")
    made = command("bench", do_bench, "run the benchmarks; prints JSON lines")
    made.add_argument("name", nargs="?", metavar="NAME", help="one benchmark (default: all)")
    command("serve", do_serve, "the web server, configured by the environment")
    command("worker", do_worker, "the worker, configured by the environment")
    command("receiver", do_receiver, "the DICOM receiver, configured by the environment")
    command("manage", do_manage, "manage.py inside the virtual environment, with its arguments")
    made = command("lock", do_lock, "make the lock files from the requirement files")
    made.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    made = command("setup", do_setup, "packages and viewer bundle only (for images)")
    made.add_argument("--dev", action="store_true", help="also what tests and checks need")
    made.add_argument("--no-viewer", action="store_true", help="leave the viewer bundle as it is")
    return top


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse; what follows `test` and `manage` belongs to pytest and manage.py, options and all."""
    own, rest = list(arguments), list[str]()
    if own[:1] in (["test"], ["manage"]) and own[1:] not in (["--help"], ["-h"]):
        own, rest = own[:1], own[1:]
    given = parser().parse_args(own)
    given.rest = rest
    return given


def main(arguments: Sequence[str]) -> int:
    os.umask(0o022 if os.geteuid() == 0 else 0o027)
    given = parse(arguments)
    context = Context()
    context.children.listen()
    try:
        return int(given.carry_out(context, given))
    except Stop as reason:
        context.console.say(str(reason))
        return reason.code
    except Ended:
        context.console.say(f"Stopped by {signal.Signals(context.children.signal or signal.SIGTERM).name}.")
        return 128 + (context.children.signal or signal.SIGTERM)
    finally:
        context.children.end_all()
