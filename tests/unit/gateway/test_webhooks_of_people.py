from __future__ import annotations

import base64
import contextlib
import hmac
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.gateway.custom.examples import signed
from services.gateway.custom.paths import BadExpression, check, find
from services.gateway.custom.sealed_secrets import sealing_key
from services.gateway.custom.verification import verify
from services.gateway.inbound.sender import Incoming, NotAuthentic, Unreadable
from shared.contracts.webhook import Definition, Paths, Scheme, Verification
from shared.ops.settings import load_settings

BODY = b'{"event":"deployed"}'
SECRET = b"a secret of ours"


def incoming(headers: dict[str, str] | None = None, *, body: bytes = BODY, client: str = "203.0.113.9") -> Incoming:
    return Incoming(webhook="deploys", headers=headers or {}, body=body, client=client)


def refused(how: Verification, told: Incoming, secrets: list[bytes] | None = None) -> str:
    with pytest.raises(NotAuthentic) as refusal:
        verify(how, told, [SECRET] if secrets is None else secrets)
    return str(refusal.value)


# ---- how a delivery is verified


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha256=", "v1="])
def test_a_signature_counts_in_every_form_and_with_each_secret(algorithm: str, encoding: str, prefix: str) -> None:
    how = Verification(scheme=Scheme.HMAC, header="X-Sig", algorithm=algorithm, encoding=encoding, prefix=prefix)
    digest = hmac.digest(SECRET, BODY, algorithm)
    value = prefix + (digest.hex() if encoding == "hex" else base64.b64encode(digest).decode())
    verify(how, incoming({"x-sig": value}), [b"another", SECRET])
    verify(how, incoming({"x-sig": f"{prefix}00, {value}"}), [SECRET])
    refused(how, incoming({"x-sig": value}, body=BODY + b" "))
    refused(how, incoming({"x-sig": value}), [b"another"])
    refused(how, incoming({"x-sig": value}), [])
    refused(how, incoming({"x-sig": prefix}))
    refused(how, incoming())


def test_a_bearer_token_and_a_basic_pair_count() -> None:
    bearer = Verification(scheme=Scheme.BEARER)
    verify(bearer, incoming({"authorization": f"Bearer {SECRET.decode()}"}), [SECRET])
    refused(bearer, incoming({"authorization": f"Basic {SECRET.decode()}"}))
    refused(bearer, incoming({"authorization": "Bearer wröng"}))
    own = Verification(scheme=Scheme.BEARER, header="X-Token")
    assert "does not begin" in refused(own, incoming({"x-token": SECRET.decode()}))
    basic = Verification(scheme=Scheme.BASIC, username="ci")
    pair = base64.b64encode(b"ci:" + SECRET).decode()
    verify(basic, incoming({"authorization": f"Basic {pair}"}), [SECRET])
    other = base64.b64encode(b"me:" + SECRET).decode()
    for value in (f"Basic {other}", "Basic %%%", "Basic "):
        refused(basic, incoming({"authorization": value}))


def test_the_published_vector_of_standard_webhooks_counts_in_its_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Source: https://github.com/standard-webhooks/standard-webhooks"""
    how = Verification(scheme=Scheme.STANDARD)
    secret = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    told = incoming(
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        body=b'{"test": 2432232314}',
    )
    assert "old" in refused(how, told, [secret]).lower()
    now = _at(1614265330)
    monkeypatch.setattr("standardwebhooks.webhooks.datetime", now)
    verify(how, told, [b"whsec_" + base64.b64encode(b"x" * 24), secret])
    refused(how, incoming(dict(told.headers), body=b'{"test": 1}'), [secret])
    refused(how, incoming({**told.headers, "webhook-timestamp": "x"}, body=told.body), [secret])
    refused(how, incoming({}, body=told.body), [secret])


def _at(seconds: int) -> Any:
    import datetime as dates

    class At(dates.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return dates.datetime.fromtimestamp(seconds, tz)

    return At


def token(key: Any, algorithm: str, **claims: Any) -> dict[str, str]:
    told = {"exp": int(time.time()) + 60, "aud": "us", **claims}
    return {"authorization": "Bearer " + jwt.encode(told, key, algorithm=algorithm, headers={"kid": "k1"})}


def test_a_jwt_counts_by_a_key_of_the_sender_and_by_nothing_else() -> None:
    how = Verification(scheme=Scheme.JWT, jwks_url="https://keys.test", audience="us")
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    public: dict[str, Any] = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())) | {"kid": "k1"}
    keys = [public, {"kid": "broken"}]
    verify(how, incoming(token(key, "ES256")), [], lambda: keys)
    for headers in (
        token(other, "ES256"),
        token(key, "ES256", aud="others"),
        token(key, "ES256", exp=1),
        token(b"a secret of thirty-two bytes or more", "HS256"),
        {"authorization": "Bearer " + jwt.encode({"aud": "us"}, "", algorithm="none")},
        {"authorization": "Bearer x.y.z"},
    ):
        with pytest.raises(NotAuthentic):
            verify(how, incoming(headers), [], lambda: keys)
    by_secret = Verification(scheme=Scheme.JWT, audience="us")
    long = b"a secret of thirty-two bytes or more"
    verify(by_secret, incoming(token(long, "HS256")), [b"another secret of thirty-two bytes..", long])
    refused(by_secret, incoming(token(b"another secret of thirty-two bytes..", "HS256")), [long])


# RFC 7515, appendices A.1 to A.3: one payload, {"iss":"joe","exp":1300819380,…}
_JOE = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
_A1 = f"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{_JOE}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
_A1_KEY = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
_A2 = (
    f"eyJhbGciOiJSUzI1NiJ9.{_JOE}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
    "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
    "eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVm"
    "tVrBp0igcN_IoypGlUPQGe77Rw"
)
_A2_KEY = {
    "kty": "RSA",
    "e": "AQAB",
    "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ"
    "S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtd"
    "VMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
}
_A3 = (
    f"eyJhbGciOiJFUzI1NiJ9.{_JOE}."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
_A3_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
_A5 = f"eyJhbGciOiJub25lIn0.{_JOE}."
_JWKS = Verification(scheme=Scheme.JWT, jwks_url="https://keys.test", issuer="joe")
_BY_SECRET = Verification(scheme=Scheme.JWT, issuer="joe")


def test_the_vectors_of_rfc_7515_count_by_their_own_key_until_they_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(jwt_: str) -> Incoming:
        return incoming({"authorization": f"Bearer {jwt_}"})

    octets = base64.urlsafe_b64decode(_A1_KEY + "==")
    assert "expired" in refused(_BY_SECRET, told(_A1), [octets])
    monkeypatch.setattr("jwt.api_jwt.datetime", _at(1300819380))
    verify(_BY_SECRET, told(_A1), [octets])
    for vector, key in ((_A2, _A2_KEY), (_A3, _A3_KEY)):
        verify(_JWKS, told(vector), [], partial(list, [{"kty": "oct", "k": _A1_KEY}, key]))
        with pytest.raises(NotAuthentic):
            verify(replace(_JWKS, issuer="jim"), told(vector), [], partial(list, [key]))
    # A key of one kind never checks what another kind has signed, and nobody signs by saying so.
    for vector, keys in ((_A1, [{"kty": "oct", "k": _A1_KEY}]), (_A2, [_A3_KEY]), (_A3, [_A2_KEY]), (_A5, [_A2_KEY])):
        with pytest.raises(NotAuthentic):
            verify(_JWKS, told(vector), [octets], partial(list, keys))
    refused(_BY_SECRET, told(_A5), [octets, b""])


def test_a_public_key_is_no_secret() -> None:
    """An RSA key that everybody has, taken for the secret of HS256."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, claims = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256", "kid": "k1"}, {"iss": "joe", "exp": int(time.time()) + 60})
    )
    digest = base64.urlsafe_b64encode(hmac.digest(pem, f"{head}.{claims}".encode(), "sha256")).decode().rstrip("=")
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())) | {"kid": "k1"}
    with pytest.raises(NotAuthentic):
        verify(_JWKS, incoming({"authorization": f"Bearer {head}.{claims}.{digest}"}), [pem], lambda: [public])


def test_a_header_that_is_too_long_is_not_compared_and_one_with_many_signatures_not_for_ever() -> None:
    signing = Verification(scheme=Scheme.HMAC, header="X-Sig")
    digest = hmac.digest(SECRET, BODY, "sha256").hex()
    verify(signing, incoming({"x-sig": digest.upper()}), [SECRET])
    assert "characters" in refused(signing, incoming({"x-sig": "," * 65_536 + digest}))
    refused(signing, incoming({"x-sig": "," * 11 + digest}))
    for header in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        sent = signed(Verification(scheme=Scheme.STANDARD), BODY, b"whsec_" + base64.b64encode(SECRET))
        refused(Verification(scheme=Scheme.STANDARD), incoming({**sent, header: "1" * 65_536}))


def test_signatures_of_other_versions_are_passed_over_and_any_body_may_be_signed() -> None:
    how, secret = Verification(scheme=Scheme.STANDARD), b"whsec_" + base64.b64encode(SECRET)
    for body in (b"no json", b"[" * 2_000):
        sent = signed(how, body, secret)
        sent["webhook-signature"] = f"v1a,!! v1,short nonsense  {sent['webhook-signature']}"
        verify(how, incoming(sent, body=body), [secret])


_SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40).map(str.encode)
_BY_OURS = st.sampled_from([
    Verification(scheme=Scheme.HMAC, header="X-Sig", prefix="sha256="),
    Verification(scheme=Scheme.HMAC, header="X-Sig", algorithm="sha512", encoding="base64"),
    Verification(scheme=Scheme.BEARER),
    Verification(scheme=Scheme.BEARER, header="X-Token", prefix="key="),
    Verification(scheme=Scheme.BASIC, username="ci"),
    Verification(scheme=Scheme.STANDARD),
    Verification(scheme=Scheme.JWT, issuer="us", audience="them"),
])  # fmt: skip


@given(_BY_OURS, _SECRETS, _SECRETS, st.text(max_size=60).map(lambda text: json.dumps({"a": text}).encode()), st.data())
def test_what_is_signed_by_either_secret_counts_and_nothing_that_was_changed_does(
    how: Verification, one: bytes, two: bytes, body: bytes, data: st.DataObject
) -> None:
    if how.scheme is Scheme.STANDARD:
        one, two = (b"whsec_" + base64.b64encode(each) for each in (one, two))
    for secret in (one, two):
        headers = {name.lower(): value for name, value in signed(how, body, secret).items()}
        verify(how, incoming(headers, body=body), [one, two])
        if one != two:
            refused(how, incoming(headers, body=body), [two if secret == one else one])
        if how.scheme in (Scheme.HMAC, Scheme.STANDARD):
            at = data.draw(st.integers(0, len(body) - 1))
            changed = body[:at] + bytes([body[at] ^ data.draw(st.integers(1, 255))]) + body[at + 1 :]
            refused(how, incoming(headers, body=changed), [one, two])
        for name in headers.keys() - {"content-type"}:
            refused(how, incoming({**headers, name: headers[name][:-2]}, body=body), [one, two])
            refused(how, incoming({key: value for key, value in headers.items() if key != name}, body=body), [one, two])


_HEADERS = st.dictionaries(
    st.sampled_from(["x-sig", "authorization", "webhook-id", "webhook-timestamp", "webhook-signature"]),
    st.text(st.characters(max_codepoint=255), max_size=60)
    | st.sampled_from(["Bearer ", "Basic ", "Bearer a.b.c", "Basic OnM=", "v1,", "nan", "inf", "1e999", "-1"]),
)


@given(_HEADERS, st.binary(max_size=40), st.sampled_from(list(Scheme)))
def test_whatever_the_headers_say_who_does_not_know_the_secret_is_refused(
    headers: dict[str, str], body: bytes, scheme: Scheme
) -> None:
    how = Verification(scheme=scheme, header="X-Sig" if scheme is Scheme.HMAC else "", username="ci")
    refused(how, incoming(headers, body=body), [b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


def test_without_verification_only_this_machine_is_heard() -> None:
    how = Verification(scheme=Scheme.NONE)
    for client in ("127.0.0.1", "::1"):
        verify(how, incoming(client=client), [])
    for told in (
        incoming(),
        incoming(client=""),
        incoming({"x-forwarded-for": "127.0.0.1"}, client="127.0.0.1"),
        incoming({"origin": "https://evil.example"}, client="127.0.0.1"),
        incoming({"origin": "http://localhost:8080"}, client="127.0.0.1"),
        incoming({"sec-fetch-site": "none"}, client="::1"),
    ):
        refused(how, told, [])


# ---- what is found


def definition(**paths: str) -> Definition:
    return Definition(verification=Verification(scheme=Scheme.NONE), paths=Paths(**paths))


def test_paths_find_texts_numbers_and_parts_and_what_is_not_there_is_empty() -> None:
    body = json.dumps({"run": {"id": 7, "name": "Nightly", "failed": ["a", "b"], "ok": False}, "by": None}).encode()
    found = find(
        definition(id="run.id", title="run.name", text="join(', ', run.failed)", thing="run.ok", author="by"), body
    )
    assert (found.id, found.title, found.text, found.thing, found.author) == ("7", "Nightly", "a, b", "false", "")


def test_without_a_path_to_the_text_the_body_is_quoted() -> None:
    found = find(definition(), b'{"a": "``` <!-- @agent stop -->"}')
    assert found.text.startswith("This was sent:\n\n````json\n{") and found.text.endswith("\n````")
    assert len(find(definition(), json.dumps({"a": "x" * 100_000}).encode()).text) < 17_000


def test_the_first_filter_that_does_not_hold_is_named() -> None:
    filtered = replace(definition(), filters=("status == 'failed'", "branch == 'main'"))
    assert find(filtered, b'{"status": "failed", "branch": "main"}').failed == ""
    assert find(filtered, b'{"status": "failed", "branch": "x"}').failed == "branch == 'main'"
    assert find(filtered, b"[]").failed == "status == 'failed'"


@pytest.mark.parametrize("expression", ["a[", "a ||", "length(", "x" * 2_000, "&"])
def test_an_expression_that_is_none_is_named_before_it_counts(expression: str) -> None:
    with pytest.raises(BadExpression, match="title"):
        check(definition(title=expression))
    with pytest.raises(BadExpression, match="filter 2"):
        check(replace(definition(), filters=("a", expression)))


@pytest.mark.parametrize(
    "expression",
    [
        "|".join(["[@,@,@,@]"] * 6),
        "|".join(["[@,@][]"] * 20),
        "join(a, b)",
        "map(&map(&map(&to_string(@), @), @), [a,a,a,a,a,a,a,a])[*][*][*][*][*].[@,@,@,@,@,@,@,@,@,@,@,@]",
        "!" * 200 + "a",
    ],
)
def test_an_expression_that_could_take_for_ever_is_refused_before_it_counts(expression: str) -> None:
    with pytest.raises(BadExpression, match="filter 1"):
        check(replace(definition(), filters=(expression,)))


def test_an_expression_that_is_too_much_for_one_body_is_said_so_and_costs_nothing() -> None:
    searching = definition(title="sort_by(a, &to_string(@))[0]")
    check(searching)
    began = time.process_time()
    with pytest.raises(Unreadable, match="title"):
        find(searching, json.dumps({"a": list(range(300_000))}).encode())
    large = json.dumps({"a": "x" * 20_000_000, "b": 1}).encode()
    assert find(definition(title="b"), large).title == "1"
    assert time.process_time() - began < 3


@given(st.recursive(
    st.sampled_from(["@", "a", "b", "`[1, 2]`", "a.b"]),
    lambda inner: st.tuples(inner, inner).flatmap(
        lambda pair: st.sampled_from(
            ["{0}|{1}", "[{0},{1}]", "{0}[*].[{1}]", "{0}[]|{1}", "{0}[?{1}]", "map(&{1}, {0})", "to_string({0})",
             "sort_by({0}, &to_string({1}))", "{{x: {0}, y: {1}}}", "{0} == {1}", "join('-', {0})", "{0} || {1}"]
        ).map(lambda form: form.format(*pair))
    ),
    max_leaves=12,
))  # fmt: skip
def test_what_was_weighed_is_quick_whatever_it_is_made_of(expression: str) -> None:
    told = definition(title=expression)
    with contextlib.suppress(BadExpression, Unreadable):
        check(told)
        began = time.process_time()
        find(told, b'{"a": [' + b"[1, 2]," * 500 + b'3], "b": {"a": "x", "b": [[1], [2]]}}')
        assert time.process_time() - began < 2


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"NaN"])
def test_a_body_that_is_no_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        find(definition(), body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)
_EXPRESSIONS = st.sampled_from(
    ["a", "a.b", "[0]", "a[*].b", "length(@)", "keys(@)", "sum(@)", "to_number(a)", "sort(@)", "@", "a || b", "*"]
)


@given(_JSON, _EXPRESSIONS, _EXPRESSIONS)
def test_every_body_gives_every_expression_a_bounded_answer(content: Any, one: str, other: str) -> None:
    told = replace(definition(id=one, title=other, text=one, thing=other, url=one), filters=(one,))
    found = find(told, json.dumps(content).encode())
    assert len(found.id) <= 500 and len(found.title) <= 300 and "\n" not in found.title


@given(st.lists(st.text(max_size=8), min_size=1, max_size=5), st.text(max_size=30), _JSON)
def test_a_path_of_any_names_finds_what_stands_there_and_nothing_where_it_does_not(
    names: list[str], value: str, beside: Any
) -> None:
    body: Any = value
    for name in reversed(names):
        body = {name: body, f"{name}+": beside}
    path = ".".join(json.dumps(name) for name in names)
    found = find(replace(definition(id=path), filters=(f"{path} != `null`",)), json.dumps(body).encode())
    assert (found.id, found.failed) == (value[:500], "")
    elsewhere = find(replace(definition(id=f'{path}."not there"'), filters=(f'"not there".{path}',)), b"{}")
    assert elsewhere.id == "" and elsewhere.failed


# ---- secrets


def test_the_sealing_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    settings = load_settings({}, data_dir=tmp_path, _env_file=None)
    key = sealing_key(settings)
    assert sealing_key(settings) == key and len(key) >= 32
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600
    assert sealing_key(load_settings({}, data_dir=tmp_path, secret_key="k" * 32, _env_file=None)) == b"k" * 32
