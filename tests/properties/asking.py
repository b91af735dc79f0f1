"""Generated filters and orders: well-formed by the table of fields, over values that generated conversations have."""

from hypothesis import strategies as st
from spoken import NAMES as SCORE_NAMES

from sessiond.core.rows.fields import FIELDS, Field, Kind

WORDS = ["ann", "bob", "alpha", "beta", "default", "gpt-4o-mini", "turn", "search", "a", "b", "ok", "1", "Hi", "Ω", "svc"]
NUMERIC = {"time", "milliseconds", "usd", "count"}
COMPARATORS = ["=", "!=", "<", "<=", ">", ">="]


def filters(kind: Kind) -> st.SearchStrategy[str]:
    """Filters over rows of a kind, the empty one among them, some with percentiles."""
    fields = FIELDS[kind]
    term = st.sampled_from(fields).flatmap(_term)
    nested = st.recursive(
        term,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(" AND ".join),
            st.tuples(inner, inner).map(lambda pair: f"({' OR '.join(pair)})"),
            inner.map(lambda one: f"NOT ({one})"),
        ),
        max_leaves=4,
    )
    numbers = [field for field in fields if field.type in NUMERIC - {"time"} and field.kept == "row"]
    percentile = st.tuples(st.sampled_from(numbers), st.sampled_from(COMPARATORS), st.sampled_from([1, 50, 95]))
    term_of_percentile = percentile.map(lambda drawn: f"{drawn[0].name} {drawn[1]} p{drawn[2]}({drawn[0].name})")
    return st.one_of(st.just(""), nested, term_of_percentile, st.tuples(nested, term_of_percentile).map(" AND ".join))


def orders(kind: Kind) -> st.SearchStrategy[str]:
    """Orders of rows of a kind, the empty one among them."""
    names = [field.name for field in FIELDS[kind] if field.type not in {"map", "counts", "scores"}]
    names += [f"scores.{name}" for name in SCORE_NAMES if kind != "user"]
    one = st.tuples(st.sampled_from(names), st.sampled_from(["", " desc"])).map("".join)
    return st.lists(one, max_size=2, unique_by=lambda text: text.split()[0]).map(", ".join)


def _term(field: Field) -> st.SearchStrategy[str]:  # noqa: PLR0911  (a case a type)
    name, words = field.name, st.sampled_from(WORDS)
    compared = st.sampled_from(COMPARATORS)
    match field.type:
        case "strings":
            values = st.one_of(words.map(lambda word: f'"{word}"'), words.map(lambda word: f'"{word[:2]}*"'), st.just("*"))
            return values.map(lambda value: f"{name}:{value}")
        case "map":
            return st.tuples(st.sampled_from(["plan", "region"]), compared, st.sampled_from(['"1"', "2", '"3*"'])).map(
                lambda drawn: (
                    f"{name}.{drawn[0]} {drawn[1]} {drawn[2]}" if "*" not in drawn[2] else f"{name}.{drawn[0]} = {drawn[2]}"
                )
            )
        case "scores":
            score = st.sampled_from([f"{name}.{key}" for key in SCORE_NAMES])
            mean = st.tuples(score, compared, st.sampled_from(["0.25", "0.1", "true", "-1"])).map(" ".join)
            category = st.tuples(score, st.sampled_from(['= "bad"', '!= "bad"', ':"bad*"', ":*"])).map("".join)
            return st.one_of(mean, category, st.sampled_from([f"{name}:{key}" for key in SCORE_NAMES]))
        case "counts":
            return st.just(f"{name}.models > 1")
        case "bool":
            return st.sampled_from([f"{name} = true", f"{name} != true"])
        case "enum":
            return st.tuples(st.sampled_from(["=", "!="]), st.sampled_from(field.values)).map(
                lambda drawn: f"{name} {' '.join(drawn)}"
            )
        case "id":
            return st.sampled_from([f'{name} = "0000*"', f'{name} = "{"0" * 31}1"', f"{name}:*"])
        case "time":
            return st.tuples(compared, st.sampled_from(["2026-09-21T14:13:20Z", "2026-09-21T14:14:20.000000003Z"])).map(
                lambda drawn: f'{name} {drawn[0]} "{drawn[1]}"'
            )
        case "string":
            return st.one_of(
                st.tuples(compared, words).map(lambda drawn: f'{name} {drawn[0]} "{drawn[1]}"'),
                words.map(lambda word: f'{name} = "{word[:1]}*"'),
                words.map(lambda word: f'{name}:"{word[:2]}"'),
            )
        case _:
            number = st.one_of(st.integers(0, 3), st.integers(0, 20_000)).map(str)
            return st.tuples(compared, number).map(lambda drawn: f"{name} {' '.join(drawn)}")
