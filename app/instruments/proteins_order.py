"""The plate order of the proteins page: what is asked of the DNA, and the plate that comes of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments.proteins_verbs import PAGE
from app.parts import session
from app.parts.guard import plain
from gen_core.proteins import table
from gen_core.proteins.codons import SITES
from gen_core.proteins.sample import Drawn

HOSTS = {"e_coli": "E. coli", "human": "Human", "yeast": "Yeast (S. cerevisiae)"}
ENDS = {"N": "start (N)", "C": "end (C)"}
CODES = {"domain_only", "wells_empty"}  # notices that stand beside the plate
WORDS = {
    "domain_only": "The domain only, as it stands in the family's columns. For both ends and the residues between the columns "
    "give a reference under **Residues that stay**, then switch **Full length** on."
}
HIGH = 250


def order(reference: str | None) -> tuple[dict[str, Any] | None, Any]:
    """What is ordered, None for nothing; and the place that the plate is shown in."""
    with st.expander("Order", icon=":material/deployed_code:", expanded=bool(session.value(PAGE, "order_on"))):
        told = "A plate of the best kept sequences as DNA: by viability where there are labels, else by profile score."
        if not st.toggle("Order the kept sequences as DNA", key=session.key(PAGE, "order_on"), help=told):
            return None, None
        what, ends, codons, limits = st.columns(4, gap="medium")
        with what:
            made = _what(reference)
        with ends:
            made |= _ends()
        with codons:
            made |= _codons()
        with limits:
            made |= _limits()
        return made, st.container()


def _what(reference: str | None) -> dict[str, Any]:
    """How many, how unlike, and whether the ends of the reference are put around the domain."""
    told = "Most sequences ordered. Up to 96 it is a plate of 96 wells, above that one of 384."
    wells = st.number_input("Wells", 1, 384, key=session.key(PAGE, "order_wells"), help=told)
    told = "Share of equal residues above which two sequences are too alike for one plate."
    alike = st.slider("Most alike", 0.0, 1.0, step=0.01, key=session.key(PAGE, "order_max_identity"), help=told)
    told = (
        "On: both ends, and the residues that stand in no column of the family, are taken from the reference (under Residues "
        "that stay). Off: the domain only, as it stands in the family's columns."
    )
    key = session.key(PAGE, "order_full_length")
    full = st.toggle("Full length", key=key, help=told, disabled=reference is None)
    return {"wells": int(wells), "max_identity": alike, "full_length": bool(full and reference)}


def _ends() -> dict[str, Any]:
    """What is put before and after the protein."""
    told = "Where the sequence begins with another residue, a methionine is put first."
    start = st.toggle("Methionine first", key=session.key(PAGE, "order_start"), help=told)
    stop = st.toggle("Stop codon last", key=session.key(PAGE, "order_stop"), help="The one the host uses most.")
    told = "A peptide added to each protein, in one-letter code, such as HHHHHH."
    tag = st.text_input("Tag", key=session.key(PAGE, "order_tag"), placeholder="none", help=told)
    key = session.settle(PAGE, "order_tag_end", list(ENDS))
    end = st.radio("Tag at the", list(ENDS), key=key, format_func=ENDS.__getitem__, horizontal=True, disabled=not tag.strip())
    return {"start": start, "stop": stop, "tag": tag.strip() or None, "tag_end": end}


def _codons() -> dict[str, Any]:
    """Whose codons, and what the DNA must not hold."""
    told = "Whose codon usage the codons are drawn by."
    host = st.selectbox(
        "Host", list(HOSTS), key=session.settle(PAGE, "order_host", list(HOSTS)), format_func=HOSTS.__getitem__, help=told
    )
    told = "Codons that make up less than this share of their residue's codons in the host are avoided."
    least, most = session.reach(PAGE, "order_min_codon_share", 0.0, 0.5)
    rare = st.slider("Rarest codon", least, most, step=0.01, key=session.key(PAGE, "order_min_codon_share"), help=told)
    told = "On neither strand of the coding sequence. Choose enzymes, or type DNA of 4 to 30 bases."
    chosen = session.value(PAGE, "order_avoid") or []
    sites = st.multiselect(
        "Forbidden sites",
        list(dict.fromkeys([*SITES, *chosen])),
        key=session.key(PAGE, "order_avoid"),
        accept_new_options=True,
        placeholder="none",
        help=told,
    )
    return {"host": host, "min_codon_share": rare, "avoid": sites}


def _limits() -> dict[str, Any]:
    """What a maker of DNA asks for."""
    told = "Least and largest share of G and C in any window."
    low, high = st.slider("G and C", 0.0, 1.0, step=0.01, key=session.key(PAGE, "order_gc"), help=told)
    window = st.number_input("Window (bases)", 20, 500, key=session.key(PAGE, "order_gc_window"), help="Of the share of G and C.")
    with st.popover("Flanks, runs and repeats", width="stretch"):
        told = "DNA before the coding sequence, such as an overhang for cloning. It may hold a forbidden site of its own."
        before = st.text_input("DNA before", key=session.key(PAGE, "order_flank_5"), placeholder="none", help=told)
        told = "DNA after the coding sequence."
        after = st.text_input("DNA after", key=session.key(PAGE, "order_flank_3"), placeholder="none", help=told)
        told = "Longest run of one base."
        run = st.number_input("Longest run (bases)", 3, 20, key=session.key(PAGE, "order_max_homopolymer"), help=told)
        told = "Longest stretch of bases that may stand twice in one sequence."
        repeat = st.number_input("Longest repeat (bases)", 8, 60, key=session.key(PAGE, "order_max_repeat"), help=told)
    made = {"min_gc": low, "max_gc": high, "gc_window": int(window), "flank_5": before, "flank_3": after}
    return made | {"max_homopolymer": int(run), "max_repeat": int(repeat)}


def show(made: Drawn) -> None:
    """The plate: its size, what a reader must know of it, its rows, and the DNA of one well."""
    plated = made.ordered
    assert plated is not None
    for notice in plated.notices:
        st.caption(f":material/info: {WORDS.get(notice.code) or plain(notice.text)}")
    if plated.table.empty:
        st.info("No sample passes all filters, so there is nothing to order.", icon=":material/info:")
        return
    st.markdown(f"**{table.plate_words(plated)}**")
    frame = table.plate(plated)
    event = st.dataframe(
        frame,
        hide_index=True,
        height=HIGH,
        width="stretch",
        key=f"{PAGE}/table/plate",
        on_select="rerun",
        selection_mode="single-row",
        column_config={"Protein": st.column_config.TextColumn(width=330), "DNA": st.column_config.TextColumn(width=330)},
    )
    rows = [i for i in event["selection"]["rows"] if i < len(frame)]
    line = plated.table.iloc[rows[0] if rows else 0]
    more = "" if rows else " Pick a row to see another."
    whole = f"{more} The whole plate is `plate.csv` under Export."
    st.caption(f"DNA of well {line['well']}, {line['name']}, {line['bases']:,} bases.{whole}")
    st.code(line["dna"], language=None, wrap_lines=True)
