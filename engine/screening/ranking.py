"""The rows of a screening that matter: those that fulfil a condition, the best by some quantity first."""

import ast
import operator
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from engine.errors import EngineError, check

AT_ONCE = 65_536  # rows
LISTED = frozenset({"cell", "atomic_numbers", "frac_coords"})  # columns that nothing can be compared with
_COMPARISONS: dict[type[ast.cmpop], Callable[[pc.Expression, pc.Expression], pc.Expression]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def best(path: Path, by: str = "", top: int | None = None, where: str = "", lowest: bool = False) -> pd.DataFrame:
    """Rows of a screening's result, the largest `by` first; in the order of the file where it is empty.

    Only rows that have a value of `by` are ranked. However many there are, they take the memory of those
    that come back.

    Args:
        by: a column with numbers, such as "n" or "merit", see rows.py.
        top: rows at most.
        where: a condition on columns: "gap > 3 and metallic < 0.1 and error == None".
        lowest: the smallest first.

    Raises:
        EngineError: there is no such file or column, or the condition is none.
    """
    check(top is None or top >= 1, f"top must be at least 1, got {top}")
    try:
        table = ds.dataset(path, format="parquet")
    except (OSError, pa.ArrowInvalid) as error:
        raise EngineError(f"{path}: is no Parquet file") from error
    wanted = condition(where, table.schema) if where else None
    if by:
        check(by in table.schema.names, f"by must be a column of {path.name}, got {by!r}{_known(table.schema)}")
        number = pa.types.is_floating(table.schema.field(by).type) or pa.types.is_integer(
            table.schema.field(by).type
        )
        check(number, f"by must be a column with numbers, got {by!r}")
        has_value = pc.field(by).is_valid()
        wanted = has_value if wanted is None else wanted & has_value
    found = table.schema.empty_table()
    for batch in table.to_batches(filter=wanted, batch_size=AT_ONCE):
        found = pa.concat_tables([found, pa.Table.from_batches([batch])])
        if by and (top is None or len(found) > top):
            found = found.sort_by([(by, "ascending" if lowest else "descending")])
        if top is not None:
            found = found.slice(0, top).combine_chunks()
            if not by and len(found) == top:
                break
    return found.to_pandas()


def condition(text: str, schema: pa.Schema) -> pc.Expression:
    """Arrow's expression of a condition: comparisons of columns, numbers, texts and None, with and, or, not, in.

    Raises:
        EngineError: it is anything else, or names a column that is not there.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as error:
        raise EngineError(f"{text!r} is no condition; one is: gap > 3 and metallic < 0.1") from error
    return _expression(tree, schema)


def _expression(node: ast.expr, schema: pa.Schema) -> pc.Expression:
    if isinstance(node, ast.BoolOp):
        join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
        found = _expression(node.values[0], schema)
        for value in node.values[1:]:
            found = join(found, _expression(value, schema))
        return found
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_expression(node.operand, schema)
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        found = _comparison(node.ops[0], sides[0], sides[1], schema)
        for number, comparison in enumerate(node.ops[1:], start=1):
            found = found & _comparison(comparison, sides[number], sides[number + 1], schema)
        return found
    if isinstance(node, ast.Name) and schema.field(_column(node, schema)).type == pa.bool_():
        return pc.field(node.id)
    raise _unknown(node)


def _comparison(how: ast.cmpop, left: ast.expr, right: ast.expr, schema: pa.Schema) -> pc.Expression:
    if isinstance(right, ast.Constant) and right.value is None and isinstance(how, (ast.Eq, ast.Is)):
        return _side(left, schema).is_null()
    if isinstance(right, ast.Constant) and right.value is None and isinstance(how, (ast.NotEq, ast.IsNot)):
        return _side(left, schema).is_valid()
    if isinstance(how, ast.In) and isinstance(right, ast.Name) and isinstance(left, ast.Constant):
        return pc.match_substring(_side(right, schema), str(left.value))
    if isinstance(how, ast.In) and isinstance(right, (ast.Tuple, ast.List)):
        return _side(left, schema).isin([_constant(one) for one in right.elts])
    if type(how) not in _COMPARISONS:
        raise _unknown(left)
    return _COMPARISONS[type(how)](_side(left, schema), _side(right, schema))


def _side(node: ast.expr, schema: pa.Schema) -> pc.Expression:
    return pc.field(_column(node, schema)) if isinstance(node, ast.Name) else pc.scalar(_constant(node))


def _column(node: ast.Name, schema: pa.Schema) -> str:
    check(
        node.id in schema.names and node.id not in LISTED, f"{node.id!r} is no column to compare{_known(schema)}"
    )
    return node.id


def _constant(node: ast.expr) -> float | str | bool:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError) as error:
        raise _unknown(node) from error
    if not isinstance(value, (int, float, str)):
        raise _unknown(node)
    return value


def _unknown(node: ast.expr) -> EngineError:
    return EngineError(f"{ast.unparse(node)!r} is no comparison; a condition is: gap > 3 and metallic < 0.1")


def _known(schema: pa.Schema) -> str:
    return f"; columns are {', '.join(name for name in schema.names if name not in LISTED)}"
