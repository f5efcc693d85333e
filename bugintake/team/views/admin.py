"""Administration: the people, the workspace, the API tokens."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bugintake.core import clock
from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.forms import Form
from bugintake.core.security import hash_secret
from bugintake.core.templating import hour, toast
from bugintake.team import people, tokens
from bugintake.team.fields import choices
from bugintake.team.forms import (
    BY_HAND,
    IN_TIME,
    DataForm,
    GroupForm,
    HoursForm,
    InvitationForm,
    LanguagesForm,
    NamesForm,
    RoleForm,
    TellingForm,
    TokenForm,
)
from bugintake.team.guards import admin_required, signed_in_user
from bugintake.team.models import Role, Workspace
from bugintake.team.views.blueprint import blame, bp
from bugintake.team.workspace import change, workspace

USER = "/admin/people/<int(max=2147483647):user_id>"
GROUPS: dict[str, type[GroupForm]] = {
    "names": NamesForm,
    "hours": HoursForm,
    "telling": TellingForm,
    "languages": LanguagesForm,
    "data": DataForm,
}


@bp.get("/admin/people")
@admin_required
def people_list() -> ResponseReturnValue:
    """List who works here."""
    return _people(InvitationForm(formdata=None, role=Role.AGENT.value))


@bp.post("/admin/people")
@admin_required
def invite() -> ResponseReturnValue:
    """Invite somebody, and show their link this once."""
    form = InvitationForm()
    if not form.validate():
        return _people(form), 422
    try:
        with transaction():
            role, zone = Role(form.role.data), workspace().zone
            user, url = people.invite(
                form.email.data or "", form.name.data or "", role, actor=signed_in_user(), zone=zone
            )
    except (Invalid, Conflict) as refusal:
        blame(form, refusal if isinstance(refusal, Invalid) else Invalid(refusal.sentence, "email"))
        return _people(form), 422
    return _people(InvitationForm(formdata=None, role=role.value), link=url, link_of=user.name)


@bp.post(f"{USER}/role")
@admin_required
def change_role(user_id: int) -> ResponseReturnValue:
    """Change what somebody may do."""
    form = RoleForm()
    if not form.validate():
        raise Invalid("Choose one of the four roles.", "role")
    with transaction():
        user = people.user_or_404(user_id)
        people.change_role(user, Role(form.role.data), actor=signed_in_user())
    flash(f"{user.name} is {form.role.data} from now on, and signs in anew.")
    return redirect(url_for(".people_list"))


@bp.post(f"{USER}/disabling")
@admin_required
def disable(user_id: int) -> ResponseReturnValue:
    """Keep somebody out."""
    with transaction():
        user = people.user_or_404(user_id)
        people.disable(user, actor=signed_in_user())
    undo = url_for(".enable", user_id=user.id)
    if user.stands_in_id is None:
        toast(f"{user.name} is disabled and signed out. Name who stands in for them.", undo=undo)
        return redirect(url_for(".stand_ins", _anchor=f"u-{user.id}"))
    toast(f"{user.name} is disabled and signed out.", undo=undo)
    return redirect(url_for(".people_list"))


@bp.post(f"{USER}/enabling")
@admin_required
def enable(user_id: int) -> ResponseReturnValue:
    """Let somebody in again."""
    with transaction():
        user = people.user_or_404(user_id)
        people.enable(user, actor=signed_in_user())
    flash(f"{user.name} can sign in again.")
    return redirect(url_for(".people_list"))


@bp.post(f"{USER}/link")
@admin_required
def make_link(user_id: int) -> ResponseReturnValue:
    """Show once a link by which somebody chooses a password: the invitation again, or a reset."""
    with transaction():
        user = people.user_or_404(user_id)
        is_new = user.password_hash is None
        url = people.invite_again(user, actor=signed_in_user()) if is_new else people.new_reset_link(user)
    return _people(InvitationForm(formdata=None, role=Role.AGENT.value), link=url, link_of=user.name)


@bp.get("/admin/workspace")
@admin_required
def workspace_settings() -> ResponseReturnValue:
    """Show the settings of the workspace."""
    return _workspace()


@bp.post("/admin/workspace/<group>")
@admin_required
def change_workspace(group: str) -> ResponseReturnValue:
    """Save one group of settings; what somebody else changed meanwhile is shown first, never written over."""
    if group not in GROUPS:
        raise NotFound
    form = GROUPS[group]()
    _offer_owners(form)
    if not form.validate():
        return _workspace(group, form), 422
    now = _values(group, workspace())
    if form.seen.data != _fingerprint(now):
        form.form_errors.append(
            "Somebody changed these settings meanwhile. Below is what you typed; save again to keep it."
        )
        return _workspace(group, form, theirs=now), 409
    try:
        with transaction():
            change(workspace(), _typed(form), actor=signed_in_user())
    except Invalid as refusal:
        blame(form, refusal)
        return _workspace(group, form), 422
    flash(f"Saved {hour(clock.now())}")
    return redirect(url_for(".workspace_settings", _anchor=group))


@bp.get("/admin/tokens")
@admin_required
def token_list() -> ResponseReturnValue:
    """List the API tokens."""
    return _tokens(_token_form(bound=False))


@bp.post("/admin/tokens")
@admin_required
def create_token() -> ResponseReturnValue:
    """Make an API token, and show its secret this once."""
    form = _token_form(bound=True)
    if not form.validate():
        return _tokens(form), 422
    with transaction():
        user = people.user_or_404(form.user.data)
        _, secret = tokens.create_token(user, list(form.scopes.data or []), actor=signed_in_user())
    return _tokens(_token_form(bound=False), secret=secret)


@bp.post("/admin/tokens/<int(max=2147483647):token_id>/revocation")
@admin_required
def revoke_token(token_id: int) -> ResponseReturnValue:
    """End a token."""
    with transaction():
        tokens.revoke(tokens.token_or_404(token_id), actor=signed_in_user())
    flash("The token is revoked and opens nothing any more.")
    return redirect(url_for(".token_list"))


def _people(form: InvitationForm, link: str | None = None, link_of: str | None = None) -> str:
    roles = [(role.value, role.value.capitalize()) for role in Role]
    return render_template(
        "team/people.html",
        form=form,
        people=people.everybody(),
        names=people.names(),
        roles=roles,
        link=link,
        link_of=link_of,
    )


def _token_form(*, bound: bool) -> TokenForm:
    form = TokenForm() if bound else TokenForm(formdata=None)
    form.user.choices = choices((user.id, user.name) for user in tokens.owners())
    return form


def _tokens(form: TokenForm, secret: str | None = None) -> str:
    return render_template("team/tokens.html", form=form, tokens=tokens.all_tokens(), secret=secret)


def _workspace(group: str | None = None, refused: GroupForm | None = None, theirs: dict[str, Any] | None = None) -> str:
    company = workspace()
    forms: dict[str, Form] = {}
    for name, kind in GROUPS.items():
        if name == group and refused is not None:
            form = refused
        else:
            form = kind(formdata=None, data=_shown(name, company))
            _offer_owners(form)
        form.seen.data = _fingerprint(_values(name, company))
        forms[name] = form
    return render_template("team/workspace.html", forms=forms, refused=refused, theirs=theirs)


def _offer_owners(form: Form) -> None:
    if isinstance(form, TellingForm):
        people_here = [(user.id, user.name) for user in people.working_here()]
        form.fallback_owner_id.choices = choices([("", "Nobody"), *people_here])


def _values(group: str, company: Workspace) -> dict[str, Any]:
    names = [name for name in GROUPS[group]()._fields if name not in ("seen", "review")]
    return {name: getattr(company, name) for name in names}


def _shown(group: str, company: Workspace) -> dict[str, Any]:
    values = _values(group, company)
    if group == "telling":
        values["review"] = IN_TIME if values["review_minutes"] is not None else BY_HAND
    return values


def _typed(form: GroupForm) -> dict[str, Any]:
    typed = {name: value for name, value in form.data.items() if name != "seen"}
    if isinstance(form, TellingForm):
        if typed.pop("review") == BY_HAND:
            typed["review_minutes"] = None
        elif typed["review_minutes"] is None:
            raise Invalid("Enter how many working minutes, for example 30.", "review_minutes")
    if isinstance(form, NamesForm):
        typed["sender_name"] = typed["sender_name"] or ""
        typed["reply_address"] = typed["reply_address"] or None
    return typed


def _fingerprint(values: dict[str, Any]) -> str:
    return hash_secret(repr(sorted(values.items())))[:16]
