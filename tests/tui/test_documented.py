"""Every command and option has help, and stands in docs/commands.md."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from tests.conftest import ROOT, Workshop
from tui.cli import COMMANDS, cli


def commands() -> Iterator[tuple[str, click.Command]]:
    """Each command with its full name, those of groups too."""
    for name in COMMANDS:
        command: click.Command = cli.get_command(click.Context(cli), name)  # type: ignore[assignment]
        yield name, command
        if isinstance(command, click.Group):
            for inner, inner_command in command.commands.items():
                yield f"{name} {inner}", inner_command


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_a_command_and_its_options_have_help(name: str) -> None:
    command = dict(commands())[name]

    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name}: {parameter.name}"


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_a_command_and_its_options_are_documented(name: str) -> None:
    command = dict(commands())[name]
    text = (ROOT / "docs" / "commands.md").read_text()
    assert f"repliquant {name.split()[0]}" in text
    assert name.split()[-1] in text
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert any(f"`{spelled}" in text for spelled in parameter.opts), parameter.opts


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_own_help_answers(name: str) -> None:
    with click.Context(cli) as parent:
        command = cli.get_command(parent, name)
        assert command is not None
        with click.Context(command, parent, info_name=name) as context:
            assert f"{name} [OPTIONS]" in command.get_help(context)


def test_the_overview_names_every_command(workshop: Workshop) -> None:
    text = workshop("--help").stdout
    for name, help_ in COMMANDS.items():
        assert f"  {name}" in text
        assert help_.split()[0] in text


def test_the_overview_says_the_same_as_the_commands() -> None:
    assert set(COMMANDS) == set(cli.list_commands(click.Context(cli)))
