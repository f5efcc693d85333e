"""Filing, reading and moving bugs."""

from typing import Any

from flask import make_response, request
from flask.typing import ResponseReturnValue

from bugintake.api import arguments, queries, schemas
from bugintake.api.arguments import NotListed
from bugintake.api.idempotency import idempotent
from bugintake.api.views.blueprint import bp
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, PreconditionFailed
from bugintake.intake import attaching, catalogue, filing, further_lists, proposals, reports
from bugintake.intake.customers import adding
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Option, OptionList, Status
from bugintake.intake.queries import bug_or_404, reports_of
from bugintake.intake.reports import Telling, canonical
from bugintake.team.guards import signed_in_user, token_required
from bugintake.team.models import Role
from bugintake.team.tokens import BUGS_WRITE, READ, REPORTS_WRITE
from bugintake.team.workspace import workspace
from bugintake.triage import merging, transitions


@bp.route("/reports", methods=["POST"])
@token_required(REPORTS_WRITE)
@idempotent
@bp.arguments(arguments.ReportArgs)
@bp.response(201, schemas.ReportSchema)
def file_report(args: dict[str, Any]) -> dict[str, Any]:
    """File a report, or attach a customer to a known bug."""
    me = signed_in_user()
    with transaction():
        chosen: dict[str, Any] = {kind.value: _chosen(kind, args[kind.value]) for kind in filing.ASKED}
        texts = {name: args[name] for name in ("steps", "actual", "expected")}
        area = chosen[OptionList.AREA]
        further = further_lists.chosen(args["choices"], area, is_complete=not args["bug"])
        telling = Telling(customer=_customer(args["customer"]), **chosen, **texts, choices=further)
        if args["bug"]:
            report = attaching.attach(bug_or_404(args["bug"], me), telling, actor=me)
        else:
            report = reports.file_report(telling, actor=me)
        return {"id": report.id, "bug": queries.bug_facts(db.session.get_one(Bug, report.bug_id))}


def _chosen(kind: OptionList, given: int | str | NotListed) -> Option:
    if not isinstance(given, NotListed):
        return catalogue.choose(kind, given)
    return proposals.propose(kind, given.word)


def _customer(given: dict[str, Any] | None) -> Customer | None:
    if given is None:
        return None
    words = {"name": given["name"], "company": given["account"], "language": given["language"] or ""}
    words |= {"default": workspace().language}
    if given["email"]:
        return adding.known_or_new(given["email"], **words, actor=signed_in_user())
    return adding.called_or_new(words.pop("name"), **words, actor=signed_in_user())


@bp.route("/bugs")
@token_required(READ)
@bp.arguments(arguments.BugsArgs, location="query")
@bp.response(200, schemas.BugsSchema)
def list_bugs(args: dict[str, Any]) -> dict[str, Any]:
    """List bugs, the newest first."""
    after = args.pop("cursor")
    items, following = queries.bugs(signed_in_user(), after=after, **args)
    return {"items": items, "next": following}


@bp.route("/bugs/<ref>")
@token_required(READ)
@bp.response(200, schemas.BugSchema)
def show_bug(ref: str) -> ResponseReturnValue:
    """Show a bug; a merged one answers with the bug that stands for it."""
    bug = _bug(ref)
    tag = etag_of(bug)
    if tag in request.if_none_match:
        return make_response("", 304, {"ETag": f'"{tag}"'})
    return queries.whole_bug(bug), 200, {"ETag": f'"{tag}"'}


@bp.route("/bugs/<ref>/transitions", methods=["POST"])
@token_required(BUGS_WRITE, Role.ENGINEER)
@idempotent
@bp.arguments(arguments.TransitionArgs)
@bp.response(200, schemas.BugSchema)
def move_bug(args: dict[str, Any], ref: str) -> ResponseReturnValue:
    """Move a bug to another status."""
    me = signed_in_user()
    bug = _bug(ref)
    with transaction():
        _check_version(bug)
        _move(bug, args)
        bug = bug_or_404(bug.ref, me)
        return queries.whole_bug(bug), 200, {"ETag": f'"{etag_of(bug)}"'}


@bp.route("/bugs/<ref>/merge", methods=["POST"])
@token_required(BUGS_WRITE, Role.ENGINEER)
@idempotent
@bp.arguments(arguments.MergeArgs)
@bp.response(200, schemas.BugSchema)
def merge_bug(args: dict[str, Any], ref: str) -> ResponseReturnValue:
    """Make a bug a part of another one, which answers."""
    me = signed_in_user()
    with transaction():
        bug, into = bug_or_404(ref, me), bug_or_404(args["into"], me)
        _check_version(bug)
        merging.merge(bug, into, actor=me)
        return _whole(bug)


@bp.route("/bugs/<ref>/merge", methods=["DELETE"])
@token_required(BUGS_WRITE, Role.ENGINEER)
@bp.response(200, schemas.BugSchema)
def separate_bug(ref: str) -> ResponseReturnValue:
    """Let a bug stand for itself again; it answers."""
    me = signed_in_user()
    with transaction():
        bug = bug_or_404(ref, me)
        _check_version(canonical(bug))
        merging.unmerge(bug, actor=me)
        return _whole(bug)


def _check_version(bug: Bug) -> None:
    if request.if_match and etag_of(bug) not in request.if_match:
        raise PreconditionFailed(f"{bug.ref} has changed since you read it. It is {bug.status.label} now.")


def _whole(bug: Bug) -> ResponseReturnValue:
    bug = canonical(bug)
    return queries.whole_bug(bug), 200, {"ETag": f'"{etag_of(bug)}"'}


def _move(bug: Bug, args: dict[str, Any]) -> None:
    me = signed_in_user()
    to: Status = args["to"]
    if to == Status.ACCEPTED and bug.status == Status.IN_PROGRESS:
        transitions.stop(bug, actor=me)
    elif to == Status.ACCEPTED and bug.status == Status.DECLINED:
        transitions.reconsider(bug, actor=me)
    elif to == Status.ACCEPTED and bug.status == Status.LIVE:
        transitions.come_back(bug, actor=me)
    elif to == Status.ACCEPTED:
        transitions.accept(bug, actor=me)
    elif to == Status.IN_PROGRESS:
        transitions.start(bug, actor=me)
    elif to == Status.FIXED:
        transitions.fix(bug, _by_language(args["customer_note"]), _release(args["version"]), actor=me)
    elif to == Status.DECLINED:
        if args["reason"] is None:
            raise Invalid("Give the reason.", "reason")
        reason = catalogue.choose(OptionList.DECLINE_REASON, args["reason"])
        notes, workarounds = _by_language(args["customer_note"]), _by_language(args["workaround"])
        transitions.decline(bug, reason, notes, workarounds, actor=me)
    elif to == Status.NEEDS_INFO:
        asked = next(iter(reversed(reports_of(bug))), None)
        if asked is None:
            raise Invalid("There is no report to ask about.", "question")
        transitions.ask(bug, asked, args["question"], actor=me, missing=args["missing"])
    elif to == Status.NEW:
        last = transitions.last_move(bug)
        if last is None or last.before != Status.NEW:
            raise Conflict(f"A bug that is {bug.status.label} cannot become {to.label}.")
        transitions.undo(bug, actor=me, offered=last.id)
    else:
        raise Invalid("A bug goes live with its release: POST /releases.", "to")


def _release(given: int | str | None) -> Option | None:
    if given is None or given == "":
        return None
    if isinstance(given, int):
        return catalogue.choose(OptionList.VERSION, given)
    return proposals.version_named(given, actor=signed_in_user())


def _by_language(note: dict[str, str] | None) -> dict[str, str]:
    return {language or workspace().language: text for language, text in (note or {}).items() if text}


def _bug(ref: str) -> Bug:
    bug = bug_or_404(ref, signed_in_user())
    return bug if bug.merged_into_id is None else bug_or_404(f"BUG-{bug.canonical_id}", signed_in_user())


def etag_of(bug: Bug) -> str:
    """Name the version of a bug: it changes with every change, also where one of its choices became another."""
    chosen = (bug.area_id, bug.symptom_id, bug.impact_id, bug.release_id or 0)
    return f"{bug.id}-{int(bug.changed_at.timestamp() * 1_000_000)}-{'.'.join(map(str, chosen))}"
