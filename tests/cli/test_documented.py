"""Every command and option has help, and stands in docs/commands.md."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from cli.main import COMMANDS, cli
from comparisons.claims import load_claims
from papers.expressions.syntax import FUNCTIONS
from tests.conftest import ROOT, Workshop


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
    group, _, inner = name.partition(" ")
    (page,) = re.findall(rf"^## repliquant {group}\b(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert re.search(rf"\b{inner}\b", page), f"{name} is not in the part on {group}"
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


def test_every_function_of_the_claims_language_is_documented() -> None:
    text = (ROOT / "docs" / "claims.md").read_text()
    for name in FUNCTIONS:
        assert re.search(rf"`{name}[(`]", text), name


@pytest.mark.parametrize("study", ["lad2023", "shafique2023"])
def test_the_artifact_description_speaks_of_every_claim(study: str) -> None:
    text = (ROOT / "docs" / "ARTIFACT.md").read_text()
    part = text[text.index(f"### `{study}`") :].partition("\n### ")[0].partition("\n## ")[0]
    named = {int(number) for number in re.findall(r"C(\d+)", part)}
    for first, last in re.findall(r"C(\d+) to C(\d+)", part):
        named |= set(range(int(first), int(last) + 1))
    claims = load_claims(ROOT / "studies" / study).claim
    assert named == set(range(1, len(claims) + 1))


def test_the_readmes_screen_names_claims_as_they_are() -> None:
    """Cut where the screen cuts them."""
    readme = (ROOT / "README.md").read_text()
    claims = load_claims(ROOT / "studies" / "lad2023").claim
    shown = re.findall(r"^    C(\d+) +(.*?)…?  +(?:undecided|holds|does not)", readme, re.MULTILINE)
    assert len(shown) >= 12
    for number, words in shown:
        assert claims[int(number) - 1].short.startswith(words)


DOCUMENTS = ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


def shell_lines(text: str) -> list[str]:
    """The lines of indented and fenced blocks, without comments."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    lines = re.findall(r"^ {4}(\S.*)$", text, re.M) + "\n".join(fenced).splitlines()
    return [re.sub(r"\s{2,}#.*", "", line).strip() for line in lines]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_in_the_documents_exist_with_their_options(document: str) -> None:
    known = dict(commands())
    for line in shell_lines((ROOT / document).read_text()):
        if not line.startswith("repliquant "):
            continue
        words = line.split()[1:]
        name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
        assert name in known, line
        accepted = {opt for parameter in known[name].params for opt in parameter.opts}
        for word in words:
            assert not word.startswith("--") or word.partition("=")[0] in accepted, line


@pytest.mark.parametrize("document", ["README.md", "docs/ARTIFACT.md"])
def test_who_follows_a_document_has_the_command_before_it_is_used(document: str) -> None:
    lines = shell_lines((ROOT / document).read_text())
    on_the_path = lines.index('export PATH="$PWD/.venv/bin:$PATH"')
    used = [i for i, line in enumerate(lines) if line.startswith("repliquant ")]
    assert on_the_path < min(used)
