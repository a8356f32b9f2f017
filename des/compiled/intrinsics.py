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
    pointer = builder.load(builder.inttoptr(builder.add(address, offset), _I64.as_pointer()))
    pointer.set_metadata("invariant.load", builder.module.add_metadata([]))
    return pointer


@intrinsic
def pointers(context: Any, world: Any) -> Any:
    """The array of the world's first field, in which Python has put the addresses of its records.

    Nothing that is compiled writes to it, so that an address need be read once only.
    """
    of = Addresses(world)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.extract_value(arguments[0], 0)
        return builder.ptrtoint(context.make_array(world.types[0])(context, builder, value).data, _I64)

    return of(world), generate


@register_model(Pointer)
class _PointerModel(models.PrimitiveModel):
    def __init__(self, manager: Any, of: Pointer) -> None:
        super().__init__(manager, of, _I64)


@infer_getattr
class _PointerFields(AttributeTemplate):
    key = Pointer

    def generic_resolve(self, of: Pointer, field: str) -> Any:
        return _as_read(of.record.typeof(field)) if field in of.record.fields else None


def _as_read(kind: types.Type) -> types.Type:
    """Functions would be compiled for every width of integers that they are passed."""
    return types.int64 if isinstance(kind, types.Integer) and kind.signed else kind


def _field(context: Any, builder: Any, of: Pointer, address: Any, field: str) -> Any:
    offset = ir.Constant(_I64, of.record.offset(field))
    kind = context.get_data_type(of.record.typeof(field))
    return builder.inttoptr(builder.add(address, offset), kind.as_pointer())


def _only(builder: Any, of: Pointer, field: str) -> Any:
    """That what is at a field's place is never read or written as another field, or as one of other records.

    So a field that has been read need not be read again because others have been written. What is read by `floats` and
    by addresses may be anything.
    """
    module, zero = builder.module, ir.Constant(_I64, 0)
    root = module.add_metadata(["records of the kernel"])
    kind = module.add_metadata([f"{_short(of.record)}.{field}", root, zero])
    return module.add_metadata([kind, kind, zero])


@lower_getattr_generic(Pointer)
def _get_field(context: Any, builder: Any, of: Pointer, address: Any, field: str) -> Any:
    place = _field(context, builder, of, address, field)
    value = builder.load(place, align=None if of.record.aligned else 1)
    value.set_metadata("tbaa", _only(builder, of, field))
    kind = of.record.typeof(field)
    read = context.data_model_manager[kind].from_data(builder, value)
    return context.cast(builder, read, kind, _as_read(kind))


@lower_setattr_generic(Pointer)
def _set_field(context: Any, builder: Any, signature: Any, arguments: Any, field: str) -> None:
    of, given = signature.args
    kind = of.record.typeof(field)
    value = context.cast(builder, arguments[1], given, kind)
    place = _field(context, builder, of, arguments[0], field)
    data = context.data_model_manager[kind].as_data(builder, value)
    stored = builder.store(data, place, align=None if of.record.aligned else 1)
    stored.set_metadata("tbaa", _only(builder, of, field))


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
