"""GitHub's issue forms: read from YAML, each mistake with its line, and written back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bugintake.core.errors import Invalid

LARGEST = 60_000  # characters: they are read in a second; the longest of 27 real ones has 10,776
DEEPEST = 20
MOST_FIELDS, MOST_OPTIONS = 100, 200
TYPES = ("markdown", "textarea", "input", "dropdown", "checkboxes")
YES = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class FormField:
    """One field as the file has it; `required_options` and `default` count from 0, `line` from 1."""

    type: str
    label: str
    id: str | None = None
    required: bool = False
    options: Sequence[str] = ()
    required_options: Sequence[int] = ()
    multiple: bool = False
    default: int | None = None
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class GitHubForm:
    """A form: its fields in order, without the texts that only explain."""

    name: str
    description: str = ""
    title: str | None = None
    labels: Sequence[str] = ()
    fields: Sequence[FormField] = field(default_factory=tuple)


def decoded(content: bytes) -> str:
    """Read a file as text. Raises Invalid for one that is too large, or no UTF-8."""
    if len(content) > 4 * LARGEST:
        raise Invalid(f"A form has at most {LARGEST:,} characters.", "file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Invalid(f"Line {line}: a character that is no UTF-8.", "file") from error


def read(text: str) -> GitHubForm:
    """Read a form. Every word stays as it is written: 3.10 is no number, and no is no answer.

    Raises Invalid, with the line, for broken YAML, an unknown type of field, and whatever makes no form.
    """
    if len(text) > LARGEST:
        raise Invalid(f"A form has at most {LARGEST:,} characters.", "file")
    top = _mapping(_compose(text), "A form")
    body = top.get("body")
    if body is None:
        raise Invalid("Line 1: there is no body, so this is no form.", "file")
    fields = [_field(node) for node in _items(body, "body", MOST_FIELDS)]
    labels = top.get("labels")
    return GitHubForm(
        name=_optional(top.get("name")) or "",
        description=_optional(top.get("description")) or "",
        title=_optional(top.get("title")),
        labels=[_text(node) for node in labels.value] if isinstance(labels, SequenceNode) else [],
        fields=[each for each in fields if each.type != "markdown"],
    )


def write(form: GitHubForm) -> str:
    """Write a form as YAML that reads back as the same."""
    top: dict[str, Any] = {"name": form.name, "description": form.description}
    if form.title is not None:
        top["title"] = form.title
    if form.labels:
        top["labels"] = list(form.labels)
    top["body"] = [_written(each) for each in form.fields]
    return str(yaml.safe_dump(top, sort_keys=False, allow_unicode=True, width=100))


def _compose(text: str) -> Node:
    try:
        _refuse_bombs(yaml.parse(text, Loader=yaml.SafeLoader))
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Invalid(f"Line {mark.line + 1 if mark else 1}: {error.problem or 'this is no YAML'}.", "file") from error
    except yaml.YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise Invalid(f"Line {line}: a character that YAML does not allow.", "file") from error
    if node is None:
        raise Invalid("Line 1: the file is empty.", "file")
    return node


def _refuse_bombs(events: Iterable[Any]) -> None:
    depth = 0
    for event in events:
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if isinstance(event, AliasEvent):
            raise Invalid(f"Line {event.start_mark.line + 1}: aliases (*{event.anchor}) are not read.", "file")
        if depth > DEEPEST:
            raise Invalid(f"Line {event.start_mark.line + 1}: nested deeper than {DEEPEST} levels.", "file")


def _field(node: Node) -> FormField:
    parts = _mapping(node, "A field")
    kind = _text(_needed(parts, "type", node))
    if kind not in TYPES:
        raise _wrong(parts["type"], f"no field of the type “{kind[:60]}” is known; there are {', '.join(TYPES)}")
    if kind == "markdown":
        return FormField(type=kind, label="", line=_line(node))
    attributes = _mapping(_needed(parts, "attributes", node), "attributes")
    rules = _mapping(parts["validations"], "validations") if "validations" in parts else {}
    options, required = _options(kind, attributes, node)
    given = _optional(attributes.get("default"))
    if kind == "dropdown" and given is not None and not _is_place(given, options):
        raise _wrong(attributes["default"], f"the default is a number from 0 to {len(options) - 1}")
    return FormField(
        type=kind,
        id=_optional(parts.get("id")),
        label=_text(_needed(attributes, "label", node)),
        required=_is_true(rules.get("required")),
        options=options,
        required_options=required,
        multiple=_is_true(attributes.get("multiple")),
        default=int(given) if kind == "dropdown" and given is not None else None,
        line=_line(node),
    )


def _options(kind: str, attributes: Mapping[str, Node], node: Node) -> tuple[list[str], list[int]]:
    if kind not in ("dropdown", "checkboxes"):
        return [], []
    items = _items(_needed(attributes, "options", node), "options", MOST_OPTIONS)
    if kind == "dropdown":
        return [_text(each) for each in items], []
    boxes = [_mapping(each, "An option") for each in items]
    labels = [_text(_needed(box, "label", each)) for box, each in zip(boxes, items, strict=True)]
    return labels, [place for place, box in enumerate(boxes) if _is_true(box.get("required"))]


def _is_place(given: str, options: Sequence[str]) -> bool:
    return given.isdecimal() and len(given) < 5 and int(given) < len(options)  # int() refuses 4,301 digits


def _mapping(node: Node, what: str) -> dict[str, Node]:
    if not isinstance(node, MappingNode):
        raise _wrong(node, f"{what} is made of names and values")
    found: dict[str, Node] = {}
    for key, value in node.value:
        name = _text(key)
        if name in found:
            raise _wrong(key, f"“{name[:60]}” stands here twice")
        found[name] = value
    return found


def _items(node: Node, what: str, most: int) -> list[Node]:
    if not isinstance(node, SequenceNode) or not node.value:
        raise _wrong(node, f"{what} is a list with at least one item")
    if len(node.value) > most:
        raise _wrong(node.value[most], f"{what} is a list with at most {most} items")
    return list(node.value)


def _needed(parts: Mapping[str, Node], name: str, node: Node) -> Node:
    if name not in parts:
        raise _wrong(node, f"“{name}” is missing")
    return parts[name]


def _text(node: Node) -> str:
    if not isinstance(node, ScalarNode):
        raise _wrong(node, "here stands a list or more names, where words belong")
    return str(node.value)


def _optional(node: Node | None) -> str | None:
    return None if node is None or node.tag == "tag:yaml.org,2002:null" else _text(node)


def _is_true(node: Node | None) -> bool:
    if node is None:
        return False
    given = _text(node).lower()
    if given not in YES:
        raise _wrong(node, "this is true or false")
    return YES[given]


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _wrong(node: Node, what: str) -> Invalid:
    return Invalid(f"Line {_line(node)}: {what}.", "file")


def _written(each: FormField) -> dict[str, Any]:
    attributes: dict[str, Any] = {"label": each.label}
    if each.type == "checkboxes":
        attributes["options"] = [
            {"label": option, **({"required": True} if place in each.required_options else {})}
            for place, option in enumerate(each.options)
        ]
    elif each.type == "dropdown":
        attributes |= {"multiple": True} if each.multiple else {}
        attributes["options"] = list(each.options)
        attributes |= {"default": each.default} if each.default is not None else {}
    named = {"id": each.id} if each.id is not None else {}
    return {"type": each.type, **named, "attributes": attributes, "validations": {"required": each.required}}
