"""Small files that would take much time or memory, were they read to their end."""

import bz2
import gzip
import json
import lzma
import zlib

from tests.hostile.case import Case, cif, crystal_json, poscar, scattered, xyz
from tests.hostile.seeds import CRYSTALS, archive, phonopy, vasprun

FM3M = "_symmetry_space_group_name_H-M 'Fm-3m'\n"
POWERS = "_space_group_magn.number_BNS 136.499\n_space_group_magn.transform_BNS_Pp_abc '9**9**9**9a,b,c;0,0,0'\n"
OPERATIONS = "loop_\n_symmetry_equiv_pos_as_xyz\n"
MIB = b"#" * 1024**2
SIZE = 300  # MiB that most bombs unpack to
LAUGHS = b"".join(b'<!ENTITY l%d "%s">\n' % (i + 1, b"&l%d;" % i * 10) for i in range(9))


def gzip_of(content: bytes, times: int = 1) -> bytes:
    """So many members of gzip behind each other, which unpack as one; the same bytes on every run."""
    return gzip.compress(content, 9, mtime=0) * times


def stream_of(times: int, begin: bytes = b"") -> bytes:
    """One member of gzip that unpacks to so many MiB."""
    packer = zlib.compressobj(1, wbits=31)
    return packer.compress(begin) + b"".join(packer.compress(MIB) for _ in range(times)) + packer.flush()


def cifs() -> list[Case]:
    """Where a parser of CIF has much to multiply."""
    long = cif("Na 0 0 0").replace(b"Na 0 0 0", b"Na" + b"a" * 900_000 + b" 0 0 0")
    return [
        Case(
            about="300 listed atoms in Fm-3m",
            file="a.cif",
            content=cif(scattered(300), FM3M),
            reason="at most 500",
        ),
        Case(
            about="3,000 listed atoms in Fm-3m", file="a.cif", content=cif(scattered(3000), FM3M), reason="at most"
        ),
        Case(
            about="chained powers in a transform",
            file="a.mcif",
            content=cif("Si 0 0 0", POWERS),
            reason="operation",
        ),
        Case(
            about="9,999 operations",
            file="a.cif",
            content=cif("Si 0 0 0", OPERATIONS + "x,y,z\n" * 9999),
            reason="more than any group",
        ),
        Case(
            about="an operation that chains powers",
            file="a.cif",
            content=cif("Si 0 0 0", OPERATIONS + "'x,y,z'\n'9**9**9x,y,z'\n"),
            reason="operation must",
        ),
        Case(
            about="an operation of 500,000 terms",
            file="a.cif",
            content=cif("Si 0 0 0", OPERATIONS + "'x,y,z'\n'" + "x+" * 500_000 + "x,y,z'\n"),
            reason="operation must",
        ),
        Case(about="one label of 900,000 letters", file="a.cif", content=long, reason="no element"),
        Case(
            about="a formula of 500,000 brackets",
            file="a.cif",
            content=cif("Na 0 0 0", extra="_chemical_formula_sum '" + "(" * 500_000 + "'\n"),
        ),
        Case(
            about="70,000 data blocks",
            file="a.cif",
            content=b"".join(b"data_%d\n" % i for i in range(70_000)),
            reason="lists no atoms|no structure",
        ),
        Case(
            about="white space that a regular expression chokes on",
            file="a.cif",
            content=b"\n" * 10**6 + b"x",
            reason="not a readable CIF",
        ),
        Case(about="spaces before a tag", file="", content=b" " * 10**6 + b"data", reason="not a known format"),
        Case(
            about="tabs in every line", file="", content=(b"\t" * 999 + b"\n") * 1000 + b"x", reason="not a known"
        ),
        Case(
            about="a reflections block without its end",
            file="a.cif",
            content=b"_shelx_hkl_file\n;\n" * 60_000,
            reason="not a readable CIF|lists no atoms",
        ),
    ]


def packed() -> list[Case]:
    """Small archives of much, singly and one in another."""
    once = stream_of(SIZE)
    members = archive([(f"{i}.cif", MIB * 50) for i in range(9)])
    return [
        Case(about="300 MiB in a .cif.gz", file="a.cif.gz", content=once, reason="larger than 5 MiB"),
        Case(about="a .gz in a .gz", file="a.cif.gz.gz", content=gzip_of(once), reason="compressed"),
        Case(
            about="300 members of a .gz", file="a.cif.gz", content=gzip_of(MIB, SIZE), reason="larger than 5 MiB"
        ),
        Case(about="300 MiB in a .bz2", file="a.cif.bz2", content=bz2.compress(MIB) * SIZE, reason="compressed"),
        Case(about="300 MiB in an .xz", file="a.cif.xz", content=lzma.compress(MIB) * SIZE, reason="compressed"),
        Case(about="MiB in raw zlib", file="a.cif", content=zlib.compress(MIB * 9), reason="not a"),
        Case(about="450 MiB in a ZIP", file="a.zip", content=members, reason="compressed", rows=9),
        Case(about="a ZIP in a ZIP", file="b.zip", content=archive([("a.zip", members)]), reason="compressed"),
        Case(about="a .gz cut short", file="a.cif.gz", content=once[: len(once) // 2], reason="damaged|larger"),
        Case(
            about="a .gz of text that says modeling",
            file="a.gz",
            content=stream_of(100, b"<modeling>"),
            reason="larger than 32 MiB",
        ),
    ]


def documents() -> list[Case]:
    """JSON, YAML and XML that grow while they are read."""
    alias = "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(9))
    run = vasprun(CRYSTALS["salt"]).encode()
    doctype = b"<!DOCTYPE x [\n<!ENTITY l0 'ha'>\n" + LAUGHS + b"]>\n<modeling>&l9;</modeling>"
    outside = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n<modeling>&e;</modeling>'
    huge = crystal_json().replace(b"3.5", b"9" * 5000, 1)
    many = json.dumps([json.loads(crystal_json())] * 1001).encode()
    shared = phonopy(CRYSTALS["salt"]).encode()
    return [
        Case(about="100,000 brackets of JSON", file="a.json", content=b"[" * 100_000, reason="JSON|form|must be"),
        Case(
            about="70,000 objects within objects",
            file="a.json",
            content=b'{"structure":' * 70_000,
            reason="JSON|must be|too much",
        ),
        Case(
            about="100,000 lists, closed",
            file="a.json",
            content=b"[" * 100_000 + b"]" * 100_000,
            reason="JSON|must",
        ),
        Case(about="a number of 5,000 digits", file="a.json", content=huge, reason="JSON|finite|number"),
        Case(
            about="a number of 900,000 digits", file="a.json", content=b"[" + b"9" * 900_000 + b"]", reason="JSON"
        ),
        Case(about="1,001 crystals", file="a.json", content=many, reason="at most 1000"),
        Case(
            about="keys given twice",
            file="a.json",
            content=crystal_json()[:-1] + b',"sites":[]}',
            reason="no atoms",
        ),
        Case(
            about="aliases of YAML, 9 to the 9th",
            file="phonopy.yaml",
            content=f"a0: &a0 x\n{alias}unit_cell: *a9\n".encode(),
            reason="aliases",
        ),
        Case(
            about="a lattice of aliases",
            file="phonopy.yaml",
            content=b"a0: &a0 [1, 2, 3]\n"
            + alias.encode()
            + shared.replace(b"lattice:\n", b"lattice: *a9\n  x:\n"),
            reason="aliases",
        ),
        Case(
            about="an alias of itself",
            file="phonopy.yaml",
            content=b"unit_cell: &a\n  lattice: *a\n  points: [{symbol: Na, coordinates: [0, 0, 0]}]\n",
            reason="aliases",
        ),
        Case(
            about="50,000 brackets of YAML",
            file="phonopy.yaml",
            content=b"unit_cell:\n " + b"[" * 50_000,
            reason="PHONOPY|too much",
        ),
        Case(
            about="a tag of YAML that calls",
            file="phonopy.yaml",
            content=b"unit_cell: !!python/object/apply:os.system ['touch canary']\n",
            reason="PHONOPY",
        ),
        Case(about="a billion laughs", file="vasprun.xml", content=doctype, reason="document type"),
        Case(about="an entity from a file", file="vasprun.xml", content=outside, reason="document type"),
        Case(
            about="200,000 elements within each other",
            file="vasprun.xml",
            content=b"<modeling>" + b"<a>" * 200_000,
            reason="breaks off",
        ),
        Case(
            about="an attribute of 20 MiB",
            file="vasprun.xml",
            content=run.replace(b"<modeling>", b"<modeling><x y='" + b"z" * 20 * 1024**2 + b"'/>"),
            crystals=1,
        ),
    ]


def counts() -> list[Case]:
    """Where a file says how much is to come."""
    return [
        Case(
            about="a trillion atoms in a POSCAR",
            file="POSCAR",
            content=poscar(counts="1000000000000 1"),
            reason="at most 500",
        ),
        Case(
            about="a count of 4,301 digits in a POSCAR",
            file="POSCAR",
            content=poscar(counts="9" * 4301 + " 1"),
            reason="not a readable|at most|say how many",
        ),
        Case(
            about="a count beyond 64 bits in a POSCAR",
            file="POSCAR",
            content=poscar(counts="99999999999999999999 1"),
            reason="at most 500",
        ),
        Case(
            about="a trillion atoms in an XYZ", file="a.xyz", content=xyz(count="1000000000000"), reason="digits"
        ),
        Case(
            about="a count of 5,000 digits in an XYZ", file="a.xyz", content=xyz(count="9" * 5000), reason="digits"
        ),
        Case(about="a negative count in an XYZ", file="a.xyz", content=xyz(count="-1"), reason="XYZ|no structure"),
        Case(
            about="Properties of a million columns",
            file="a.xyz",
            content=xyz(head='Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:x:R:1000000000'),
            reason="columns",
        ),
        Case(
            about="10,000 atoms in a POSCAR",
            file="POSCAR",
            content=poscar(
                "Si",
                "10000",
                "99 0 0\n0 99 0\n0 0 99",
                "\n".join(f"{i % 22 / 22} {i // 22 % 22 / 22} {i // 484 / 22}" for i in range(10_000)),
            ),
            reason="at most 500",
        ),
        Case(
            about="10,000 atoms in an XYZ",
            file="a.xyz",
            content=xyz("Si 0 0 0\n" * 10_000, 'Lattice="99 0 0 0 99 0 0 0 99"', "10000"),
            reason="at most 500",
        ),
        Case(
            about="10,000 atoms in a CIF",
            file="a.cif",
            content=cif(scattered(10_000), cell="99 99 99"),
            reason="at most 500",
        ),
        Case(
            about="a huge number of atoms in an XSF",
            file="a.xsf",
            content=b"CRYSTAL\nPRIMVEC\n4 0 0\n0 4 0\n0 0 4\nPRIMCOORD\n9999999999 1\nNa 0 0 0\n",
            reason="XSF|atoms",
        ),
        Case(
            about="a huge nat of Quantum ESPRESSO",
            file="pw.in",
            content=b"&system\n ibrav=0, nat=999999999999, ntyp=1\n/\nCELL_PARAMETERS angstrom\n4 0 0\n0 4 0\n"
            b"0 0 4\nATOMIC_POSITIONS angstrom\nNa 0 0 0\n",
            reason="ESPRESSO|atoms|nat",
        ),
    ]


def bombs() -> list[Case]:
    """All of them."""
    return [*cifs(), *packed(), *documents(), *counts()]
