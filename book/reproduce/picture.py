"""A picture of what attackers found and what is certified, as SVG that follows the reader's colours."""

from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, ROW = 720, 190, 110, 30


def picture(path, title, rows, note="dot: strongest attacker, with 95 % interval; frame: what no attacker exceeds; dashes: chance",
            step=5):
    """`rows` are `(label, main %, found, low, high, certified or None, chance)`, all in percent."""
    bottom = 56 + ROW * len(rows)
    least = min(min(row[3], row[6]) for row in rows)
    most = max(max(row[4], row[5] or 0) for row in rows)
    low, high = step * int(least / step), min(100, step * (int(most / step) + 1))
    at = lambda value: LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 40}" role="img" font-family="sans-serif" '
           f'font-size="13"><title>{escape(title)}</title>',
           "<style>text{fill:#333}.g{stroke:#ccc}.c{fill:none;stroke:#999;stroke-width:2}.f{fill:#0b6e99;stroke:#0b6e99}"
           ".t{stroke:#c60;stroke-dasharray:4 3}@media(prefers-color-scheme:dark){text{fill:#ddd}.g{stroke:#555}}</style>",
           f'<text x="{LEFT}" y="20" font-weight="bold">{escape(title)}</text>']
    for value in range(low, high + 1, step):
        out.append(f'<line class="g" x1="{at(value):.1f}" x2="{at(value):.1f}" y1="36" y2="{bottom - 10}"/>'
                   f'<text x="{at(value):.1f}" y="{bottom + 6}" text-anchor="middle">{value} %</text>')
    for place, (label, main, found, lower, upper, bound, chance) in enumerate(rows):
        y = 56 + ROW * place
        out.append(f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(label)}</text>'
                   f'<text x="{WIDTH - RIGHT + 12}" y="{y + 4}">main {main:.1f} %</text>'
                   f'<line class="t" x1="{at(chance):.1f}" x2="{at(chance):.1f}" y1="{y - 12}" y2="{y + 12}"/>')
        if bound:
            out.append(f'<rect class="c" x="{at(chance):.1f}" y="{y - 8}" width="{at(bound) - at(chance):.1f}" height="16" rx="3"/>')
        out.append(f'<line class="f" x1="{at(lower):.1f}" x2="{at(upper):.1f}" y1="{y}" y2="{y}" stroke-width="2"/>'
                   f'<circle class="f" cx="{at(found):.1f}" cy="{y}" r="5"/>')
    out.append(f'<text x="{LEFT}" y="{bottom + 30}">{escape(note)}</text></svg>')
    path.write_text("\n".join(out) + "\n")
