"""Which language a text is in, by its function words, and drafts that leave the conversation's language."""

from collections import Counter
from functools import lru_cache

from tertulia.detectors.scene import Finding, Scene, first_words
from tertulia.language.wording import KEPT, words
from tertulia.principles import Language

__all__ = ["language", "strayed"]

LEAST_WORDS = 5

FUNCTION_WORDS = {
    "en": """the and of to is in that it you for on with are this be as have from or by not but what all were we when
        your can there an which their if will how about up out them then she some so would has my me could did just
        any been please i'm i've i'll it's don't do does shall should here was our who may may let""",
    "de": """der die das und ist nicht ich sie ein eine einen einem einer mit auf für von zu den dem des im es auch
        sich wir ihr ihre ihren ihnen haben hat habe wird werden kann können bitte noch nach bei aus wie oder aber
        wenn dass sind war mich mir dir mein meine vielen danke gerne möchten möchte hier jetzt ja nein heute morgen
        gestern leider immer schon nur sehr um am zum zur vom beim ihrem unser unsere wo was wer wann warum dort dann
        mehr keine kein etwas alles gibt geht gut sein ob seit bis diese dieser dieses damit können soll""",
    "fr": """le la les des un une et est pas je vous nous il elle pour dans que qui sur avec ce cette ces mais ou où
        votre vos mon ma mes au aux du ne plus être avoir avez ont suis êtes sont merci bonjour peux pouvez veuillez
        comme très bien c'est j'ai n'est d'un d'une l'on oui souhaitez voulez demain hier maintenant aujourd'hui quand
        si où quel quelle comment pourquoi sans jusqu'à déjà encore toujours tout tous rien ici lundi mardi mercredi
        jeudi vendredi à de en on se son sa leur leurs qu'il m'a n'ai s'il été fait faire vais va""",
    "es": """el los las una unos y es no que por para con su sus se lo le me mi usted ustedes está están ha han pero
        como más este esta esto cuando puede puedo quiere gracias hola favor muy sí ya son tiene tengo al nos usted
        también del hay ser soy voy va vamos dónde donde cuándo ahora mismo hoy mañana ayer bien sin sobre hasta desde
        lunes martes miércoles jueves viernes qué quién cómo todo todos algo nada aquí fue era hemos he vez día hace
        nuestro nuestra si la en un de a""",
    "it": """il lo gli di che è non per una uno con sono del della dei delle nel nella alla ai si suo sua mio mia
        questo questa come più ma anche ha ho abbiamo avete può posso vuole grazie ciao prego molto sì lei noi voi
        degli dal dalla sul sulla cosa c'è oggi domani ieri adesso ora subito dove quando perché quale chi nostro
        nostra trovato trova bene già ancora sempre tutto tutti niente qui dopo prima lunedì martedì mercoledì giovedì
        venerdì le mi si se la in un i a ci cui era stato stata fare""",
    "pt": """o os as um uma e é não que para por com do da dos das no na nos nas em se seu sua meu minha você vocês
        está estão mas como mais este esta isto quando pode posso quer obrigado obrigada olá favor muito sim já são
        tem tenho ao também foi ser sou eu ele ela nós hoje amanhã ontem agora onde aqui lhe bem ainda sempre tudo todos
        nada nosso nossa à às pela pelo vou vai há segunda terça quarta quinta sexta até sem sobre depois antes de a
        qual quem porque fazer""",
    "nl": """de het een en is niet ik u je jij wij we zij hij dat die dit van voor met op te aan in er ook maar als
        zijn heeft heb hebben wordt worden kan kunt kunnen graag bedankt alstublieft mijn uw ons naar bij uit nog
        wel geen wat hoe hier nu ja nee""",
}
TONGUES: dict[str, tuple[str, ...]] = {}
for _code, _words in FUNCTION_WORDS.items():
    for _word in set(_words.split()):
        TONGUES[_word] = (*TONGUES.get(_word, ()), _code)


@lru_cache(maxsize=KEPT)
def language(text: str) -> str:
    """The ISO 639-1 code of a text's language, or an empty string when it is too short or not clear.

    Every function word counts for the languages that have it, shared words less. The winner needs two words of
    its own kind, an eighth of the text, and twice the points of the runner-up."""
    said = words(text)
    if len(said) < LEAST_WORDS:
        return ""
    points: Counter[str] = Counter()
    for word in said:
        for code in TONGUES.get(word, ()):
            points[code] += 6 // len(TONGUES[word])
    ranked = points.most_common(2)
    if not ranked:
        return ""
    (code, best), second = ranked[0], ranked[1][1] if len(ranked) > 1 else 0
    return code if best >= 12 and best >= 6 * len(said) / 8 and best >= 2 * second else ""


def strayed(detector: Language, scene: Scene) -> list[Finding]:
    """A draft in another language than the conversation."""
    code = language(scene.text)
    if not code:
        return []
    wanted = detector.only.partition("-")[0].lower() or _so_far(scene)
    if not wanted or code == wanted:
        return []
    return [Finding(first_words(scene.text), f"is in {code!r}; the conversation is in {wanted!r}")]


def _so_far(scene: Scene) -> str:
    """The language that the others spoke last; before they have spoken, that of the scenario's opening."""
    speaker = scene.hearing.speaker
    for message in reversed(scene.hearing.seen):
        if message.text and message.role != "tool" and message.speaker != speaker and (code := language(message.text)):
            return code
    return language(scene.hearing.scenario.script.opening)
