"""Sums up what has been counted: coverage.py SOURCE LCOV-FILE. See tools/prove.d/coverage."""

import os
import re
import sys

WANTED = 90.0  # per cent of all lines

# Of these each block that no test goes through needs a reason.
PRIVILEGED = re.compile(r'^src/(attach[a-z_]*|spawn|newborn[a-z_]*|call[a-z_]*|jail_linux|bookkeeping_linux)\.c$')

REASONS = 'tests/coverage.reasons'


class File:
    """A source of ours: how often each line was gone through, and where each function begins."""

    def __init__(self):
        self.lines = {}
        self.functions = {}

    def covered(self):
        return sum(times > 0 for times in self.lines.values())

    def function_at(self, number):
        begun = [line for line in self.functions if line <= number]
        return self.functions[max(begun)] if begun else ''


def read_counts(source, path):
    """{name: File} of what lies in src."""
    files = {}
    file = File()
    with open(path, encoding='utf-8') as stream:
        for line in stream:
            kind, _, value = line.rstrip('\n').partition(':')
            if kind == 'SF':
                name = os.path.relpath(os.path.realpath(value), os.path.realpath(source))
                file = files.setdefault(name, File())
            elif kind == 'FN':
                number, function = value.split(',', 1)
                file.functions[int(number)] = function.rpartition(':')[2]
            elif kind == 'DA':
                number, times = (int(part) for part in value.split(',')[:2])
                file.lines[number] = max(file.lines.get(number, 0), times)
    return {name: files[name] for name in files if re.match(r'src/[^/]*\.c$', name)}


def blocks_of(source, name, file):
    """What follows each other and was never gone through: [function, first line of code, its number, how many]."""
    with open(os.path.join(source, name), encoding='utf-8') as stream:
        text = [line.strip() for line in stream]
    blocks = []
    last = None  # the line of the block under way
    for number in sorted(file.lines):
        if file.lines[number] > 0 or text[number - 1] in ('', '{', '}'):
            last = last if text[number - 1] in ('', '{', '}') and last == number - 1 else None
            continue
        if last == number - 1:
            blocks[-1][3] += 1
        else:
            blocks.append([file.function_at(number), text[number - 1], number, 1])
        last = number
    return blocks


def read_reasons(path):
    """{(file, function, code): reason}. What is indented is the reason of each "FILE FUNCTION: CODE" above it."""
    reasons = {}
    keys = []
    told = False
    with open(path, encoding='utf-8') as stream:
        for line in stream:
            line = line.rstrip('\n')
            if not line or line.startswith('#'):
                continue
            if line[0] in ' \t':
                told = True
                reasons.update({key: (reasons[key] + ' ' + line.strip()).strip() for key in keys})
                continue
            match = re.match(r'(\S+) (\w+): (.*)$', line)
            if match is None:
                sys.exit('%s: not understood: %s' % (path, line))
            keys = [match.groups()] if told else keys + [match.groups()]
            told = False
            reasons[match.groups()] = ''
    return reasons


def check_privileged(source, files):
    """Tells of each block without a reason, and each reason without a block. How many they are."""
    reasons = read_reasons(os.path.join(source, REASONS))
    blocks = [(name, block) for name in sorted(filter(PRIVILEGED.match, files))
              for block in blocks_of(source, name, files[name])]
    wrong = ['%s: no reason is given for: %s %s: %s' % ((REASONS,) + key) for key in reasons if not reasons[key]]
    wrong += ['%s:%d: %d lines in %s, without a test or a reason: %s' % (name, number, count, function, code)
              for name, (function, code, number, count) in blocks if (name, function, code) not in reasons]
    found = {(name, function, code) for name, (function, code, _, _) in blocks}
    wrong += ['%s: there is no such block without a test: %s %s: %s' % ((REASONS,) + key)
              for key in reasons if key not in found and not reasons[key].startswith('Sometimes: ')]
    for line in wrong:
        print(line, file=sys.stderr)
    print('reasons for them: %d' % sum((name, block[0], block[1]) in reasons for name, block in blocks))
    return len(wrong)


def main():
    source, path = sys.argv[1:]
    files = read_counts(source, path)
    lines = sum(len(file.lines) for file in files.values())
    percent = 100 * sum(file.covered() for file in files.values()) / lines
    for name in sorted(files):
        file = files[name]
        print('%s: %.1f %% of %d lines' % (name, 100 * file.covered() / len(file.lines), len(file.lines)))
    print('lines: %.1f %% of %d, in %d files' % (percent, lines, len(files)))
    blocks = sum(len(blocks_of(source, name, files[name])) for name in filter(PRIVILEGED.match, files))
    print('blocks of privileged files that no test goes through: %d' % blocks)
    wrong = check_privileged(source, files)
    if percent < WANTED:
        sys.exit('the tests go through less than %.0f %% of the lines' % WANTED)
    return 1 if wrong else 0


sys.exit(main())
