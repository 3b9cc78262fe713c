"""The viewer's page and its modules on a stage: how browser tests reach them."""

import base64

import numpy as np

from spiral.report.viewer import bundle
from spiral.search import best_known
from tests.report import launches

LOADED = "&show=d&on=a"
"""What the tests' pages show at first: the data, on side A."""


def modules(visit, folder, entry, *names, extra=""):
    """Open a page on which functions of a module are global."""
    script = (
        f"{bundle.bundle(entry)}\nObject.assign(globalThis, {{ {', '.join(names)} }});"
    )
    path = folder / f"{entry}.html"
    path.write_text(
        f"<!doctype html><title>x</title><link rel=icon href='data:,'>"
        f"<script type=module>{script}\n{extra}</script>"
    )
    return visit(path)


def settled(page, side=None):
    """Wait until sides are drawn in full and measured; return one of them."""
    for number in (0, 1) if side is None else (side,):
        card = page.locator(".side").nth(number)
        page.locator(
            f".side:nth-child({number + 1})[data-correct][data-sharp]"
        ).wait_for()
    return card


def smallest(level):
    """Return the smallest network known to reach an accuracy."""
    leaders = best_known.leaders(best_known.load())
    return leaders[leaders["accuracy"] >= level].iloc[0]


def id_of(entry):
    """Return the id that the page has for the best network of a size and kind."""
    return f"{entry['kind']}-{entry['nnz']}-{entry['nnz_params']}"


def part(page, side, name):
    """Return an element of a side by its data-part."""
    return page.locator(".side").nth(side).locator(f"[data-part={name}]")


def numbers(values, kind="<f4"):
    """Return JavaScript that is a typed array of these values."""
    name = {"<f4": "Float32Array", "<f8": "Float64Array", "|u1": "Uint8Array"}[kind]
    text = base64.b64encode(np.asarray(values).astype(kind).tobytes()).decode()
    return f"new {name}(Uint8Array.from(atob('{text}'), (c) => c.charCodeAt(0)).buffer)"


def model(mask, params, width):
    """Return JavaScript that is a model of the page."""
    return (
        f"{{ width: {width}, mask: {numbers(mask, '|u1')}, params: {numbers(params)} }}"
    )


def weights_of(mask, width):
    """Return the weight part of a mask [P]."""
    from spiral.model import mlp

    return mask[mlp.is_weight(width)]


def opened(tab, file, state):
    tab.goto("about:blank")
    tab.goto(f"{file.resolve().as_uri()}#{state}")
    settled(tab)
    return tab


def stored(launch, config_id):
    mask, params, width = launch[1][config_id]
    return launches.correct(params, width), mask, params, width


def number(page, side, name):
    return float(part(page, side, name).inner_text().replace(",", "").strip(" %"))


def correct(page, side):
    settled(page, side)
    return int(page.locator(".side").nth(side).get_attribute("data-correct"))


def edges(page, side=0):
    return page.locator(".side").nth(side).locator(".edge")


def pixels(page, side=0):
    """Return the colours of a map's canvas, 40 × 40 of them."""
    code = """(canvas) => { const small = new OffscreenCanvas(40, 40).getContext("2d");
      small.drawImage(canvas, 0, 0, 40, 40);
      return Array.from(small.getImageData(0, 0, 40, 40).data); }"""
    canvas = page.locator(".side").nth(side).locator(".map canvas")
    return np.array(canvas.evaluate(code), int).reshape(40, 40, 4)[..., :3]


def place_missing(page, place, side=0):
    """Return whether a side has no edge at a place of its parameters."""
    found = page.locator(f".side >> nth={side} >> .edge[data-place='{place}']")
    return found.count() == 0
