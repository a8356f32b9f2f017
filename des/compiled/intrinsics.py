"""What `kernel.memory` says in Python as machine instructions. A pointer to records is an address, no array.

An array would be counted at each call that passes it on, which takes two thirds of the time of small functions.
"""

import hashlib
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_getattr_generic, lower_setattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, models, register_model

_I64 = ir.IntType(64)
_F64 = ir.DoubleType()


class Pointer(types.Type):
    """The address of a record. Numba's own records cannot be returned from functions."""

    def __init__(self, record: types.Record) -> None:
        self.record = record
        super().__init__(name=f"Pointer{_short(record)}")


class Addresses(types.Type):
    """The address of the addresses of the world's records. So a function is passed one number, and not one for each."""

    def __init__(self, world: types.NamedTuple) -> None:
        self.pointers = {name: Pointer(array.dtype) for name, array in zip(world.fields, world.types, strict=True)}
        super().__init__(name=f"World{_short(world)}")


def _short(of: types.Type) -> str:
    """A name for a type, since its own is part of the symbols of all functions that take it."""
    return hashlib.sha256(str(of).encode()).hexdigest()[:12]


@register_model(Addresses)
class _AddressesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, of: Addresses) -> None:
        super().__init__(manager, of, _I64)


@infer_getattr
class _AddressesFields(AttributeTemplate):
    key = Addresses

    def generic_resolve(self, of: Addresses, field: str) -> Any:
        return of.pointers.get(field)


@lower_getattr_generic(Addresses)
def _get_pointer(context: Any, builder: Any, of: Addresses, address: Any, field: str) -> Any:
    offset = ir.Constant(_I64, 8 * list(of.pointers).index(field))
    return builder.load(builder.inttoptr(builder.add(address, offset), _I64.as_pointer()))


@intrinsic
def pointers(context: Any, world: Any) -> Any:
    """The addresses of the world's records, in the array of its first field."""
    of = Addresses(world)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kept = None
        for place, array_type in enumerate(world.types):
            value = builder.extract_value(arguments[0], place)
            data = context.make_array(array_type)(context, builder, value).data
            address = builder.ptrtoint(data, _I64)
            kept = address if kept is None else kept
            to = builder.add(kept, ir.Constant(_I64, 8 * place))
            builder.store(address, builder.inttoptr(to, _I64.as_pointer()))
        return kept

    return of(world), generate


@register_model(Pointer)
class _PointerModel(models.PrimitiveModel):
    def __init__(self, manager: Any, of: Pointer) -> None:
        super().__init__(manager, of, _I64)


@infer_getattr
class _PointerFields(AttributeTemplate):
    key = Pointer

    def generic_resolve(self, of: Pointer, field: str) -> Any:
        return of.record.typeof(field) if field in of.record.fields else None


def _field(context: Any, builder: Any, of: Pointer, address: Any, field: str) -> Any:
    offset = ir.Constant(_I64, of.record.offset(field))
    kind = context.get_data_type(of.record.typeof(field))
    return builder.inttoptr(builder.add(address, offset), kind.as_pointer())


@lower_getattr_generic(Pointer)
def _get_field(context: Any, builder: Any, of: Pointer, address: Any, field: str) -> Any:
    place = _field(context, builder, of, address, field)
    return context.unpack_value(builder, of.record.typeof(field), place, None if of.record.aligned else 1)


@lower_setattr_generic(Pointer)
def _set_field(context: Any, builder: Any, signature: Any, arguments: Any, field: str) -> None:
    of, given = signature.args
    kind = of.record.typeof(field)
    value = context.cast(builder, arguments[1], given, kind)
    place = _field(context, builder, of, arguments[0], field)
    context.pack_value(builder, kind, value, place, None if of.record.aligned else 1)


@intrinsic
def at(context: Any, records: Any, place: Any) -> Any:
    """The record `place` after this one."""
    size = records.record.size

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.add(arguments[0], builder.mul(arguments[1], ir.Constant(_I64, size)))

    return records(records, types.int64), generate


def _array_at(context: Any, builder: Any, return_type: Any, data: Any, count: Any) -> Any:
    """An array over memory that it does not own."""
    array = context.make_array(return_type)(context, builder)
    size = ir.Constant(_I64, 8)
    context.populate_array(
        array,
        data=builder.bitcast(data, array.data.type),
        shape=cgutils.pack_array(builder, [count]),
        strides=cgutils.pack_array(builder, [size]),
        itemsize=size,
        meminfo=None,
    )
    return array._getvalue()


_FLOATS = types.Array(types.float64, 1, "C")


@intrinsic
def floats(context: Any, records: Any, first: Any, count: Any) -> Any:
    """Records of one float each, as an array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        offset = builder.mul(arguments[1], ir.Constant(_I64, 8))
        data = builder.inttoptr(builder.add(arguments[0], offset), _F64.as_pointer())
        return _array_at(context, builder, signature.return_type, data, arguments[2])

    return _FLOATS(records, types.int64, types.int64), generate


@intrinsic
def floats_at(context: Any, address: Any, count: Any) -> Any:
    """Floats from an address on, as an array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = builder.inttoptr(arguments[0], _F64.as_pointer())
        return _array_at(context, builder, signature.return_type, data, arguments[1])

    return _FLOATS(types.int64, types.int64), generate


@intrinsic
def float_at(context: Any, address: Any) -> Any:
    """The float at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], _F64.as_pointer()))

    return types.float64(types.int64), generate


@intrinsic
def int_at(context: Any, address: Any) -> Any:
    """The int64 at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], _I64.as_pointer()))

    return types.int64(types.int64), generate


@intrinsic
def set_float(context: Any, address: Any, value: Any) -> Any:
    """Store a float at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], builder.inttoptr(arguments[0], _F64.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, types.float64), generate


@intrinsic
def set_int(context: Any, address: Any, value: Any) -> Any:
    """Store an int64 at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], builder.inttoptr(arguments[0], _I64.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def asked(context: Any, address: Any, what: Any, first: Any, second: Any, third: Any) -> Any:
    """Call the function at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = ir.FunctionType(_I64, [_I64] * 4)
        return builder.call(builder.inttoptr(arguments[0], function.as_pointer()), list(arguments[1:]))

    return types.int64(*[types.int64] * 5), generate


INTRINSICS = {
    "pointers": pointers,
    "at": at,
    "beginning_at": at,
    "floats": floats,
    "floats_at": floats_at,
    "float_at": float_at,
    "int_at": int_at,
    "set_float": set_float,
    "set_int": set_int,
    "asked": asked,
}
