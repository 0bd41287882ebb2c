"""One address in all the ways in which its owner may type it, and text that looks like it and is no address."""

KEPT = "anna@xn--bcher-kva.example"
SPELLINGS = (
    KEPT,
    "anna@bücher.example",
    "Anna@BÜCHER.Example",
    "  anna@bücher.example\t",
    "\u00a0anna@bücher.example\n",
    "anna@bu\u0308cher.example",
    "anna@bücher\u3002example",
    "ANNA@XN--BCHER-KVA.EXAMPLE",
)
NO_ADDRESSES = (
    "",
    "   ",
    "anna",
    "@",
    "anna@",
    "@bücher.example",
    "anna@bücher.example.",
    "<anna@bücher.example>",
    "Anna <anna@bücher.example>",
    "anna@bücher.example, dana@example.org",
    "anna@bü\0cher.example",
    "anna@bü\u200bcher.example",
    "anna@xn--.example",
    "anna@xn--\u00fc.example",
    "anna@" + "ü" * 5000 + ".example",
    "anna@" + ".".join("ü" * 3000),
    "a" * 60_000,
)
