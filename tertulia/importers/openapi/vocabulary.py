"""The words that made scripts draw from: fictional people, places and things, and how people ask."""

__all__ = [
    "ADDITIONS",
    "AMOUNTS",
    "ASKING",
    "BEYOND",
    "CHANGES",
    "ELSEWHERE",
    "INDIFFERENT",
    "MANNERS",
    "NAMED_NUMBERS",
    "NAMED_TEXTS",
    "NOUNS",
    "OCCUPATIONS",
    "PEOPLE",
    "PLAINER",
    "PURPOSES",
    "QUALITIES",
    "SENTENCES",
    "THEN",
    "VAGUE",
]

PEOPLE = (
    "Mara Lindholm", "Tobias Renner", "Ines Carvalho", "Jonah Whitlock", "Priya Nair", "Oskar Vell", "Hana Kimura",
    "Luca Ferrand", "Amina Diallo", "Piet de Groot", "Selma Aydin", "Ruben Castell", "Greta Holm", "Noor Haddad",
    "Emil Sorensen", "Clara Benoit",
)  # fmt: skip
OCCUPATIONS = (
    "school librarian", "night-shift nurse", "bicycle mechanic", "junior developer", "community radio host",
    "retired surveyor", "theatre technician", "biology student", "shop owner", "travel writer", "network technician",
    "football coach", "museum guide", "translator", "baker", "photographer",
)  # fmt: skip
MANNERS = (
    "who writes in short sentences", "who is friendly and a little hurried", "who likes to be exact",
    "who types on a phone", "who is new to this", "who is patient and polite", "who wants it done quickly",
    "who answers only what is asked",
)  # fmt: skip
PURPOSES = (
    "wants it settled before lunch", "needs it for a talk tomorrow", "promised a colleague to take care of it",
    "is putting a small report together", "wants to show it to a friend", "is trying the service out",
    "needs it for a newsletter", "is tidying up an old list",
)  # fmt: skip
QUALITIES = (
    "silver", "quiet", "northern", "amber", "hidden", "early", "golden", "winding", "crimson", "gentle", "hollow",
    "bright", "distant", "copper",
)  # fmt: skip
NOUNS = (
    "lantern", "harbour", "meadow", "compass", "orchard", "raven", "canyon", "violin", "glacier", "market", "garden",
    "lighthouse", "river", "castle",
)  # fmt: skip
SENTENCES = (
    "please have a look at this soon", "it has happened twice this week", "this is for the spring event",
    "nothing like it was seen before", "the team asked for it yesterday", "it worked well last time",
)  # fmt: skip
AMOUNTS = frozenset(("price", "amount", "cost", "total", "balance", "fee", "budget", "salary", "rate", "value"))

NAMED_NUMBERS = {
    "page": (2, 9), "limit": (5, 50), "size": (5, 50), "count": (3, 40), "offset": (10, 90), "year": (2001, 2025),
    "age": (19, 80), "days": (7, 90), "hours": (2, 48), "minutes": (5, 90), "quantity": (2, 20), "month": (1, 12),
    "latitude": (36, 58), "lat": (36, 58), "longitude": (2, 24), "lon": (2, 24), "lng": (2, 24), "zoom": (3, 15),
    "price": (10, 400), "amount": (10, 900), "rating": (2, 5), "score": (10, 95), "percent": (5, 95),
    "percentage": (5, 95), "weight": (40, 120), "height": (120, 210), "width": (200, 1200), "duration": (5, 180),
    "radius": (2, 50), "port": (1025, 9999), "priority": (1, 5), "progress": (3, 24), "episode": (2, 24),
    "season": (1, 9), "temperature": (-10, 35),
}  # fmt: skip

NAMED_TEXTS: dict[str, tuple[str, ...]] = {
    "city": ("Lisbon", "Ghent", "Turin", "Bergen", "Leeds", "Graz"),
    "location": ("Lisbon", "Ghent", "Turin", "Bergen", "Leeds", "Graz"),
    "place": ("Lisbon", "Ghent", "Turin", "Bergen", "Leeds", "Graz"),
    "origin": ("Lisbon", "Ghent", "Turin"),
    "destination": ("Bergen", "Leeds", "Graz"),
    "country": ("Portugal", "Belgium", "Italy", "Norway", "Austria"),
    "region": ("Flanders", "Tuscany", "Alentejo", "Styria"),
    "state": ("Ohio", "Oregon", "Texas", "Maine"),
    "address": ("12 Mill Lane", "48 Station Road", "7 Orchard Street", "30 Harbour View"),
    "street": ("Mill Lane", "Station Road", "Orchard Street"),
    "currency": ("EUR", "USD", "GBP", "NOK"),
    "language": ("English", "French", "German", "Spanish"),
    "lang": ("en", "fr", "de", "es"),
    "locale": ("en-GB", "fr-FR", "de-DE"),
    "username": ("quietraven", "silvercompass", "amberfox", "northwind"),
    "user": ("quietraven", "silvercompass", "amberfox", "northwind"),
    "login": ("quietraven", "silvercompass", "amberfox"),
    "password": ("Lantern-482", "Orchard-917", "Compass-358"),
    "name": PEOPLE,
    "author": PEOPLE,
    "artist": PEOPLE,
    "owner": PEOPLE,
    "person": PEOPLE,
    "firstname": ("Mara", "Tobias", "Ines", "Jonah", "Priya"),
    "lastname": ("Lindholm", "Renner", "Carvalho", "Whitlock"),
    "title": ("The Silver Lantern", "A Quiet Harbour", "Northern Meadow", "The Hidden Orchard"),
    "phone": ("+44 20 7946 0132", "+44 20 7946 0185", "+44 20 7946 0417"),
    "colour": ("blue", "red", "green", "yellow"),
    "color": ("blue", "red", "green", "yellow"),
    "category": ("music", "sports", "travel", "science"),
    "type": ("standard", "weekly", "basic", "full"),
    "genre": ("comedy", "drama", "mystery", "romance"),
    "tag": ("summer", "draft", "urgent", "archive"),
    "topic": ("gardening", "astronomy", "sailing", "chess"),
    "subject": ("gardening", "astronomy", "sailing", "chess"),
    "company": ("Brightwater Ltd", "Nordic Paper", "Fenwick and Sons"),
    "brand": ("Brightwater", "Fenwick", "Solvang"),
    "role": ("editor", "viewer", "manager"),
    "status": ("active", "pending", "closed"),
    "gender": ("female", "male"),
    "format": ("json", "csv", "pdf"),
    "symbol": ("AAPL", "MSFT", "NOK"),
    "timezone": ("Europe/Lisbon", "Europe/Oslo", "Europe/Vienna"),
    "zip": ("19031", "60614", "97205"),
    "postcode": ("19031", "60614", "97205"),
    "hash": ("9f86d081884c7d65", "2c26b46b68ffc68f"),
    "version": ("1.4.2", "2.0.1", "3.1.0"),
    "isbn": ("9780306406157", "9781861972712"),
}

PLAINER = {  # a verb of API documents -> how people say it
    "retrieve": ("get me", "find me", "show me", "look up"),
    "get": ("get me", "find me", "show me", "look up"),
    "fetch": ("get me", "look up"),
    "list": ("list", "show me"),
    "search": ("search",),
    "search for": ("search for", "look for", "find me"),
    "create": ("create", "set up", "make"),
    "generate": ("generate", "make"),
    "update": ("update", "change"),
    "delete": ("delete", "remove"),
    "add": ("add", "put in"),
    "check": ("check", "look up"),
    "returns": ("get me", "show me"),
    "return": ("get me", "show me"),
    "gets": ("get me", "show me"),
    "retrieves": ("get me", "show me"),
}

ASKING = (
    "Could you {deed}?", "Please {deed}.", "I'd like you to {deed}.", "Can you {deed} for me?", "I need you to {deed}.",
    "Hello, could you please {deed}?", "Hi! Please {deed}.", "Would you {deed}, please?",
)  # fmt: skip
ADDITIONS = ("Also, please {deed}.", "I also need you to {deed}.", "And please {deed} as well.")
THEN = ("Thanks. Now please {deed}.", "Good. Next, could you {deed}?", "Then I'd like you to {deed}.")
INDIFFERENT = (
    "I don't know the {label}.",
    "I don't have the {label}.",
    "I'm not sure about the {label}, leave it out.",
)
CHANGES = (
    "Actually, the {label} should be {value}.",
    "Wait, the {label} should be {value} instead.",
    "Sorry, I changed my mind: the {label} should be {value}.",
)
VAGUE = (
    "I have a question about {noun}.",
    "It's about {noun}.",
    "I need something to do with {noun}, please.",
    "Can you help me with {noun}?",
)
BEYOND = (  # what is wanted of a thing that the API knows, and that no operation does
    "Could you print the {noun} on paper and post them to my aunt?",
    "Please translate the {noun} into Latin for me.",
    "I'd like to insure the {noun} against water damage.",
    "Can you read the {noun} aloud to me over the phone?",
    "Please have the {noun} engraved on a brass plate.",
    "Could you lend the {noun} to my neighbour until sunday?",
)
ELSEWHERE = (
    "Could you book me a table for two at seven this evening?",
    "Please order a taxi to the main station for me.",
    "Can you tell me how much flour goes into a sponge cake?",
    "I'd like to cancel my gym membership, please.",
    "Please remind me to water the plants on sunday.",
    "Could you play some quiet piano music?",
    "What is the fastest way to get wine out of a tablecloth?",
    "Please put forty euros on my transit card.",
    "Can you check whether my passport is still valid?",
    "I want to know who won the match last night.",
    "Could you write a birthday poem for my aunt?",
    "Please turn down the heating in the living room.",
)
