"""The command line: one command per file; each parses, calls one library function and prints."""

from __future__ import annotations

import errno
import importlib
import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from runtime._version import __version__
from runtime.errors import EdgekitError
from runtime.visible import one_line

# The one-line helps stand here, so that `edgekit --help` imports no command.
SECTIONS = {
    "Make a light model": {
        "models": "List the models and what each costs.",
        "tasks": "List what networks can be trained for.",
        "data": "Show what a dataset holds, in numbers and pictures.",
        "search": "Find a MobileNet's best blocks within a latency.",
        "place": "Show where dynamic blocks cost least, within a budget.",
        "train": "Train a light model, or go on with a run that stopped.",
        "prune": "Remove channels and train back the accuracy.",
        "sweep": "Train many variants as a plan says, and compare them.",
        "export": "Turn a model or checkpoint into a bundle for phones.",
        "weights": "Fetch the ImageNet weights of a model.",
    },
    "Measure it": {
        "targets": "List where bundles can run; show clusters and clocks.",
        "emulate": "Run a command on a phone played by this machine.",
        "push": "Put a bundle and the light runtime on a device.",
        "bench": "Time a bundle over cores, clocks and threads.",
        "compare": "Say which of two bundles is faster, and how sure that is.",
        "records": "Show records, or convert them for other tools.",
        "profile": "Time every op of a bundle, inside its delegates too.",
        "lab": "Measure many bundles on many targets as a plan says.",
    },
    "Tune and run it": {
        "fit": "Learn how fast each core and clock runs a bundle.",
        "predict": "Say what a model takes on a target that never ran it.",
        "tune": "Choose the cheapest setting that meets a frame rate.",
        "run": "Run a bundle on an input under its policy.",
        "govern": "Run a program at the cheapest setting that is in time.",
        "runner": "Build the native ExecuTorch runner, for a device too.",
        "restore": "Restore what a killed run left changed on a machine.",
    },
    "Web pages": {
        "web": "Measure, predict and govern gestures in a browser.",
    },
    "Look": {
        "evaluate": "Score a bundle's files on a dataset.",
        "parity": "Compare a bundle's files with the model, layer by layer.",
        "inspect": "Show what a bundle or model file holds.",
        "report": "Write a bundle's results as one HTML file.",
        "plot": "Draw a tuned bundle's frontier, or a governed run.",
        "doctor": "Say what this machine has, lacks and may do.",
        "completion": "Print the shell's completion script.",
    },
}


class LazyGroup(click.Group):
    """Loads a command's module when it is first needed and lists the commands in sections.

    Args:
        package: that holds a module of each command's name.
        sections: titles, and below each the commands with their one-line helps.
    """

    def __init__(self, *args: Any, package: str, sections: dict[str, dict[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.package, self.sections = package, sections

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for commands in self.sections.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{self.package}.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        known = {name: text for commands in self.sections.values() for name, text in commands.items()}
        names = [name for name in known if name.startswith(incomplete)]
        items = [CompletionItem(name, help=known[name]) for name in names]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in self.sections.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


class RootGroup(LazyGroup):
    """All commands; an error of ours is one line, whichever command raises it."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except EdgekitError as err:
            click.echo(f"Error: {_one_line(err)}", err=True)
            ctx.exit(err.exit_code)
        except ImportError as err:
            from edgekit.cli._missing import explain

            line = explain(err, ctx.invoked_subcommand)
            if line is None:
                raise
            click.echo(f"Error: {one_line(line)}", err=True)
            ctx.exit(1)
        except OSError as err:
            if err.errno == errno.EPIPE:  # nobody reads any more, as in `| head`: click leaves in silence
                raise
            click.echo(f"Error: {_reason(err)}", err=True)
            ctx.exit(1)
        except MemoryError as err:
            why = one_line(err) or "an allocation failed"
            click.echo(f"Error: it does not fit into memory: {why}; give something smaller", err=True)
            ctx.exit(1)
        except ValueError as err:
            # Bad arguments are ValueError in the library and a usage error on the command line.
            raise click.UsageError(_one_line(err), ctx=None) from err


def _reason(err: OSError) -> str:
    """Return the path and what is wrong with it, as far as the system says."""
    if err.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({err}); make room and try again"
    paths = " -> ".join(str(path) for path in (err.filename, err.filename2) if path is not None)
    reason = err.strerror or _one_line(err) or type(err).__name__
    return one_line(f"{paths}: {reason}" if paths else reason)


def _one_line(err: Exception) -> str:
    return one_line(err)


@click.group(
    cls=RootGroup,
    package=__name__,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="edgekit")
def cli() -> None:
    """Light models to ExecuTorch and LiteRT, and the least energy at the frame rate you need.

    \b
    A model becomes a tuned phone bundle in these steps:
      edgekit train -> prune -> export -> bench -> fit -> tune -> run -> report
    """


def main() -> None:
    """Run the command line; the entry point of the ``edgekit`` program."""
    cli(prog_name="edgekit")


if __name__ == "__main__":
    sys.exit(main())
