"""``edgekit completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    Switch it on with one of these:
      bash   echo 'eval "$(edgekit completion bash)"' >> ~/.bashrc
      zsh    echo 'eval "$(edgekit completion zsh)"' >> ~/.zshrc
      fish   edgekit completion fish > ~/.config/fish/completions/edgekit.fish
    """
    make = get_completion_class(shell)
    assert make is not None  # click has the three shells that the argument allows
    click.echo(make(ctx.find_root().command, {}, "edgekit", "_EDGEKIT_COMPLETE").source())
