"""Text that would act where it is shown: in labels, formulas, blocks and comments of files, and in their names."""

import json

from tests.hostile.case import READ, Case, cif, crystal_json, poscar, shares, xyz
from tests.hostile.seeds import CRYSTALS, castep, espresso, phonopy, vasprun, xsf

SCRIPT = "<script>window.acted=1</script>"
IMAGE = "<img src=http://evil.invalid/x.png onerror=window.acted=1>"
ACTING = {
    "a script": SCRIPT,
    "the end of a script": "</script><script>window.acted=1</script>",
    "an image": IMAGE,
    "an event of SVG": "<svg/onload=window.acted=1>",
    "a template": "{{7*7}}",
    "a template string": "${window.acted=1}",
    "a template of Ruby": "<%=7*7%>",
    "a colour of Streamlit": ":red[x]",
    "an icon of Streamlit": ":material/delete:",
    "LaTeX": "$$\\frac{1}{2}$$",
    "a link": "[x](http://evil.invalid/)",
    "an image of Markdown": "![x](http://evil.invalid/x.png)",
    "a bare address": "http://evil.invalid/x",
    "a format string": "{0.__class__}%s%n%(x)s",
    "a heading": "#x",
    "a formula of a spreadsheet": "=cmd|'/c calc'!A1",
    "letters from right to left": "\u202excod\u2066",
    "letters of no width": "a\u200bb\ufeffc\u00ad",
    "a quotation": "\"'`\\",
    "control characters": "\x1b[31m\x07\x08",
}


NOT_ASCII = ("letters from right to left", "letters of no width", "control characters")
NO_CIF = "not a readable CIF"


def labels() -> list[Case]:
    """In the labels and symbols of sites: none comes out."""
    found = []
    for about, word in ACTING.items():
        label = "Na" + "".join(word.split())
        found += [
            Case(
                about=f"{about} in a label of a CIF",
                file="a.cif",
                content=cif(f"{label} 0 0 0"),
                reason=NO_CIF if about in NOT_ASCII else "element" if ":/" in word[:8] else READ,
            ),
            Case(
                about=f"{about} for an element",
                file="a.json",
                content=crystal_json(word),
                reason="no element|is not one",
            ),
            Case(about=f"{about} in a label of JSON", file="a.json", content=crystal_json(label=word)),
            Case(
                about=f"{about} in an XYZ",
                file="a.xyz",
                content=xyz(f"{''.join(word.split())} 0 0 0\nCl 2 2 2"),
                reason="XYZ|element",
            ),
        ]
    return found


def texts() -> list[Case]:
    """In what files say beside the crystal."""
    found = []
    for about, word in ACTING.items():
        line = word.replace("\n", " ")
        quoted = line.replace("'", "")
        properties = {"x": word, "<b>": word, "@module": "os", "@callable": "system"}
        found += [
            Case(
                about=f"{about} in a formula",
                file="a.cif",
                content=cif("Na 0 0 0", extra=f"_chemical_formula_sum '{quoted}'\n"),
            ),
            Case(
                about=f"{about} in a name",
                file="a.cif",
                content=cif("Na 0 0 0", extra=f"_chemical_name_common '{quoted}'\n"),
            ),
            Case(
                about=f"{about} in a data block",
                file="a.cif",
                content=cif("Na 0 0 0", block="".join(word.split())),
                reason=NO_CIF if about in NOT_ASCII else READ,
            ),
            Case(
                about=f"{about} for a space group",
                file="a.cif",
                content=cif("Na 0 0 0", f"_symmetry_space_group_name_H-M '{quoted}'\n"),
                reason="space group is not known",
            ),
            Case(
                about=f"{about} for an operation",
                file="a.cif",
                content=cif("Na 0 0 0", f"loop_\n_symmetry_equiv_pos_as_xyz\n'x,y,z'\n'{quoted}'\n"),
                reason="operation must",
            ),
            Case(about=f"{about} in a title", file="POSCAR", content=poscar(title=line)),
            Case(
                about=f"{about} for an element of a POSCAR",
                file="POSCAR",
                content=poscar(f"{''.join(word.split())} Cl"),
                reason="element|number",
            ),
            Case(about=f"{about} in properties", file="a.json", content=crystal_json(properties=properties)),
        ]
    return found


def names() -> list[Case]:
    """In the name of the file, and where a path may hide in one."""
    good = poscar()
    odd = [
        *ACTING.values(),
        *(
            "../../x.vasp",
            "/etc/cron.d/x.vasp",
            "..\\..\\x.vasp",
            "C:\\x.vasp",
            "\\\\host\\share\\x.vasp",
            "~/x.vasp",
        ),
        *(
            "a\0b.vasp",
            "a\nb.vasp",
            "a\rb.vasp",
            "x" * 5000 + ".vasp",
            "\U00010330" * 300 + ".vasp",
            "CON",
            "aux.vasp",
        ),
        *("LPT1.vasp", "POSCAR ", ".vasp", "..", ".", "...", ".hidden.vasp", "-rf.vasp", "$(touch canary).vasp"),
        *(
            "`touch canary`.vasp",
            "x;touch canary;.vasp",
            "%2e%2e%2fx.vasp",
            "\ud800.vasp",
            "a" + "\u0301" * 200 + ".vasp",
        ),
        *("part-0.parquet", "plan.json", "listing.txt", "progress.json"),
    ]
    return [Case(about=f"a file called {name[:30]!r}, {len(name)}", file=name, content=good) for name in odd]


def named_for_other_readers() -> list[Case]:
    """Names and first lines by which ASE or pymatgen would choose a reader that opens files or runs code."""
    readers = ("x.py", "x.pkl", "x.traj", "x.db", "x.bundle", "x.nc", "x.gpw", "x.h5", "x.cube", "x.lammpsdump")
    found = [
        Case(about=f"a POSCAR by the name {name}", file=name, content=poscar())
        for name in (*readers, "x.html", "x.svg")
    ]
    script = "import os\nos.system('touch canary')\n"
    pickled = b"cos\nsystem\n(S'touch canary'\ntR."
    other = "not a known format|which is not read here|not a text file"
    return [
        *found,
        Case(about="a script of Python", file="a.cif", content=script.encode(), reason="CIF|known"),
        Case(about="a script of Python, as an image of ASE", file="x.py", content=script.encode(), reason=other),
        Case(about="a pickle", file="a.json", content=pickled, reason="JSON"),
        Case(about="a binary pickle", file="a.pkl", content=b"\x80\x04" + pickled, reason=other),
        Case(about="a data base of SQLite", file="a.db", content=b"SQLite format 3\0" + bytes(4000), reason=other),
        Case(
            about="an input of LAMMPS",
            file="data.x",
            content=b"x\n\n2 atoms\n1 atom types\n\n0 4 xlo xhi\n0 4 ylo yhi\n0 4 zlo zhi\n",
            reason="LAMMPS",
        ),
        Case(
            about="a script of LAMMPS",
            file="in.x",
            content=b"shell touch canary\nread_data /etc/passwd\n",
            reason=other,
        ),
        Case(
            about="an input of ABINIT that includes",
            file="a.in",
            content=b'acell 3*4\ninclude "/etc/passwd"\n',
            reason="ABINIT",
        ),
        Case(
            about="a script of a shell",
            file="a.vasp",
            content=b"#!/bin/sh\ntouch canary\n" * 9,
            reason="lattice|scale",
        ),
        Case(
            about="an XSF of an animation",
            file="a.xsf",
            content=b"ANIMSTEPS 999999999\n" + xsf(CRYSTALS["salt"]).encode(),
            reason="XSF",
        ),
        Case(
            about="an include of Quantum ESPRESSO",
            file="pw.in",
            content=espresso(CRYSTALS["salt"]).replace("CELL", "INCLUDE /etc/passwd\nCELL").encode(),
        ),
        Case(
            about="an include of CASTEP",
            file="a.cell",
            content=(castep(CRYSTALS["salt"]) + "\ninclude /etc/passwd\n").encode(),
        ),
        Case(
            about="a symbol of phonopy.yaml that is a path",
            file="phonopy.yaml",
            content=phonopy(CRYSTALS["salt"]).replace("symbol: Na", "symbol: /etc/passwd").encode(),
            reason="element",
        ),
        Case(
            about="a stylesheet in a vasprun.xml",
            file="vasprun.xml",
            content=vasprun(CRYSTALS["salt"])
            .replace("<modeling>", '<?xml-stylesheet href="http://evil.invalid/"?><modeling>')
            .encode(),
            crystals=1,
        ),
        Case(
            about="a call in JSON",
            file="a.json",
            content=json.dumps({"@module": "os", "@callable": "system", "args": ["touch canary"]}).encode(),
            reason="must be",
        ),
        Case(
            about="a class of another module in JSON",
            file="a.json",
            content=crystal_json(**{"@module": "subprocess", "@class": "Popen"}),
        ),
        Case(
            about="shared occupancies by the name of a script",
            file="a.cif",
            content=shares(f"Na{SCRIPT} Na 0 0 0 0.5\nCl Cl 0.5 0.5 0.5 1"),
            reason="disordered",
        ),
    ]


def words() -> list[Case]:
    """All of them."""
    return [*labels(), *texts(), *names(), *named_for_other_readers()]
