"""Runs a shell script and draws what a terminal shows of it, as an SVG that plays by itself.

    python3 book/record.py SCRIPT OUT.svg [FOLDER]

Every line of the script is a command, which is shown with its output and with the seconds that it really took. Pauses are
shortened: the picture plays for some twenty seconds and then shows the end.
"""

import html
import pathlib
import subprocess
import sys
import tempfile
import time

COLUMNS, ROWS, SIZE, LINE = 104, 28, 14, 20
WIDTH = int(COLUMNS * SIZE * 0.602) + 48
SECONDS, END = 16, 6
COLOURS = {"command": "#e6edf3", "output": "#9da7b3", "time": "#5aa7a7"}


def run(script, folder):
    """The lines that appear, with their kinds and the seconds at which they do."""
    lines, clock = [], 0.0
    for command in pathlib.Path(script).read_text().split("\n\n"):
        command = command.strip("\n")
        if not command:
            continue
        begun = time.monotonic()
        done = subprocess.run(["bash", "-euc", command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        took = time.monotonic() - begun
        if done.returncode:
            sys.exit(f"{command}\n{done.stdout}")
        for number, part in enumerate(command.splitlines()):
            lines += [(clock, "command", part) for part in wrapped(("$ " if number == 0 else "  ") + part)]
        clock += min(2.0, 0.6 + took / 20)
        for part in done.stdout.splitlines():
            lines += [(clock, "output", part) for part in wrapped(part)]
        lines.append((clock, "time", f"# {took:.0f} s" if took >= 1 else "# less than a second"))
        clock += 0.8
    return lines, clock


def wrapped(text):
    """A line as a terminal breaks it."""
    return [text[start : start + COLUMNS] for start in range(0, max(1, len(text)), COLUMNS)]


def draw(lines, clock):
    """The SVG: each line is there from its second on, older lines move up, and all begins again after the end was shown."""
    total, height = SECONDS + END, min(ROWS, len(lines)) * LINE + 8
    parts, rules, ups = [], [], {}
    for number, (at, kind, text) in enumerate(lines):
        share = 100 * SECONDS * at / max(clock, 1e-9) / total
        rules.append(f"@keyframes l{number}{{0%,{share:.2f}%{{opacity:0}}{share + 0.01:.2f}%,100%{{opacity:1}}}}")
        ups[share] = max(0, number + 1 - ROWS) * LINE
        style = f"fill:{COLOURS[kind]};animation:l{number} {total}s infinite"
        parts.append(f'<text x="24" y="{(number + 1) * LINE - 4}" style="{style}" xml:space="preserve">{html.escape(text)}</text>')
    up, moves = 0, []
    for share, height_above in ups.items():
        moves.append(f"{share:.2f}%{{transform:translateY({-up}px)}}{share + 0.01:.2f}%{{transform:translateY({-height_above}px)}}")
        up = height_above
    moves.append(f"100%{{transform:translateY({-up}px)}}")
    fonts = "ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace"
    # Whoever wants no motion sees the end, and so does a program that draws no motion.
    still = "@media (prefers-reduced-motion:reduce){text,g{animation:none!important}}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<style>text{{font:{SIZE}px {fonts}}}@keyframes up{{{''.join(moves)}}}{''.join(rules)}{still}</style>"
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#0d1117"/>'
        f'<g transform="translate(0 {-up})" style="animation:up {total}s infinite">{"".join(parts)}</g></svg>\n'
    )


def main():
    script, target = sys.argv[1], pathlib.Path(sys.argv[2])
    folder = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp()
    lines, clock = run(script, folder)
    target.write_text(draw(lines, clock), newline="\n")
    print(f"{target}: {len(lines)} lines, {clock:.0f} s")


if __name__ == "__main__":
    main()
