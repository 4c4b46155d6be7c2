"""`muster completion`: what makes a shell complete commands, options and files."""

from typing import Any

import click

from jobs.commands.options import effective, options, say, show_json

WHERE = {
    "bash": "muster completion bash > ~/.local/share/bash-completion/completions/muster",
    "zsh": "muster completion zsh > ~/.zfunc/_muster   (with `fpath+=~/.zfunc` before compinit)",
    "fish": "muster completion fish > ~/.config/fish/completions/muster.fish",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(tuple(WHERE)))
@options("output")
def command(shell: str, **given: Any) -> None:
    """Print the script by which SHELL completes muster's commands, options, choices and files.

    \b
    Examples:
      muster completion bash > ~/.local/share/bash-completion/completions/muster
      muster completion zsh > ~/.zfunc/_muster
      muster completion fish > ~/.config/fish/completions/muster.fish
    """
    from click.shell_completion import get_completion_class

    root = click.get_current_context().find_root().command
    kind = get_completion_class(shell)
    assert kind is not None
    found = kind(root, {}, "muster", "_MUSTER_COMPLETE")
    script = found.source_template % found.source_vars()
    if effective(given).output == "json":
        show_json({"schema_version": 1, "shell": shell, "script": script})
    else:
        say(script)
