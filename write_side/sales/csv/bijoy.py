"""Bangla typed for the font SutonnyMJ (Bijoy), in which Latin letters are drawn as Bangla ones, as Unicode.

The table is the encoding of that font as its typists know it: one or two characters for each letter, sign and conjunct.
Signs that are typed before the consonants they belong to (ি, ে, ৈ) are moved behind them, and a reph (র্) before them.
"""

import re

from write_side.sales.csv.cells import split

_HASANTA = "\u09cd"
# Characters of the font, and the Bangla text that each draws; pairs come before their first characters.
_LETTERS = split(
    """Av আ A অ B ই C ঈ D উ E ঊ F ঋ G এ H ঐ I ও J ঔ K ক L খ M গ N ঘ O ঙ P চ Q ছ R জ S ঝ T ঞ U ট V ঠ W ড X ঢ
    Y ণ Z ত _ থ ` দ a ধ b ন c প d ফ e ব f ভ g ম h য i র j ল k শ l ষ m স n হ o ড় p ঢ় q য় r ৎ s ং t ঃ
    u ঁ v া w ি x ী y ু “ ু – ু z ু ~ ূ ƒ ূ ‚ ূ „ ৃ … ৃ † ে ‡ ে ˆ ৈ ‰ ৈ Š ৗ 0 ০ 1 ১ 2 ২ 3 ৩ 4 ৪ 5 ৫ 6 ৬
    7 ৭ 8 ৮ 9 ৯ | । ¨ ্য ª ্র Ö ্র « ্র ¬ ্ল ¡ ্ব ^ ্ব ¦ ্ব ž ্ব Ÿ ্ব ¢ ্ভ £ ্ভ্র œ ্ন è ্ন ’ ্থ ‹ ্ক
    Œ ্ক্র ¿ ্ত্র Í ্ত ‘ ্তু ú ্প ¥ ্ম § ্ম ø ্ল ˜ দ্ ™ দ্ š ন্ › ন্ ¤ ম্ ® ষ্ ¯ স্ ” চ্ • ঙ্ ° ক্ক
    ± ক্ট ² ক্ষ্ণ ³ ক্ত ´ ক্ম µ ক্র ¶ ক্ষ · ক্স ¸ গু ¹ জ্ঞ º গ্দ » গ্ধ ¼ ঙ্ক ½ ঙ্গ ¾ জ্জ À জ্ঝ Á জ্ঞ
    Â ঞ্চ Ã ঞ্ছ Ä ঞ্জ Å ঞ্ঝ Æ ট্ট Ç ড্ড È ণ্ট É ণ্ঠ Ê ণ্ড Ë ত্ত Ì ত্থ Î ত্র Ï দ্দ Ð ণ্ড × দ্ধ Ø দ্ব
    Ù দ্ম Ú ন্ঠ Û ন্ড Ü ন্ধ Ý ন্স Þ প্ট ß প্ত à প্প á প্স â ব্জ ã ব্দ ä ব্ধ å ভ্র æ ম্ন ç ম্ফ é ল্ক
    ê ল্গ ë ল্ট ì ল্ড í ল্প î ল্ফ ï শু ð শ্চ ñ শ্ছ ò ষ্ণ ó ষ্ট ô ষ্ঠ õ ষ্ফ ö স্খ ÷ স্ট ù স্ফ û হু ü হৃ
    ý হ্ন þ হ্ম ÿ ক্ষ Ñ - Ò “ Ó ” Ô ‘ Õ ’"""
)
_REPH_SIGN = "\ue000"
_DRAWN: dict[str, str] = dict(zip(_LETTERS[::2], _LETTERS[1::2], strict=True)) | {"©": _REPH_SIGN}
_TOKEN = re.compile("|".join(map(re.escape, sorted(_DRAWN, key=len, reverse=True))))
_CONSONANT = "(?:[ক-হৎ]\u09bc?)"
_CLUSTER = f"{_CONSONANT}(?:{_HASANTA}{_CONSONANT})*"
_BEFORE = re.compile(f"([িেৈ])({_CLUSTER})")
_REPH = re.compile(f"({_CLUSTER})([ািীুূৃেৈৗো]*)\ue000")
# Signs of the code page that only text in this font has, and those that other text has too, though not between letters.
_SIGNS = re.compile("[†‡ˆ‰Š‚ƒ„ª¬¯¸¹º¨¡¦¢¥¤¿]|(?<=[^\\W\\d]|[`])[«»£§©®°±²³´µ¶·¼½¾…](?=[^\\W\\d])")
_ACCENTED = re.compile("[À-ÿ]")
# A word of a European language: capitals only at its beginning or throughout, and a vowel; none begins with a w before
# a consonant, as words in this font do that begin with ি.
_WORD = re.compile(r"[^\W\d_]+")
_EUROPEAN = re.compile("(?!w[^aeiouyhr])(?:[A-ZÀ-Þ]?[a-zß-ÿ]+|[A-ZÀ-Þ]+)")
_VOWELS = re.compile("[AEIOUYaeiouyÀ-ÖØ-öø-ÿ]")
# What draws vowel signs, of which a name in Bangla hardly ever has none.
_VOWEL_SIGNS = re.compile("[vwxyz~†‡ˆ‰Šƒ‚„…]")
_BANGLA = re.compile("[\u0980-\u09ff]")


def looks_like_bijoy(text: str) -> bool:
    """Return whether a text has signs of this font between its letters, and is no text of a European language."""
    if not _VOWEL_SIGNS.search(text):
        return False
    if _SIGNS.search(text):
        return True
    return any(_ACCENTED.search(word) and not _is_european(word) for word in _WORD.findall(text))


def _is_european(word: str) -> bool:
    return _EUROPEAN.fullmatch(word) is not None and _VOWELS.search(word) is not None


def from_bijoy(text: str) -> str:
    """Return text in this font as Unicode; text with Bangla letters in it is none, and stays as it is."""
    if _BANGLA.search(text):
        return text
    drawn = _TOKEN.sub(lambda found: _DRAWN[found[0]], text).replace(_HASANTA * 2, _HASANTA)
    moved = _BEFORE.sub(r"\2\1", drawn)
    moved = moved.replace("ো", "ো").replace("ৌ", "ৌ")
    return _REPH.sub(f"র{_HASANTA}\\1\\2", moved).replace("\ue000", f"র{_HASANTA}")
