"""Made-up but plausible values for parameters: what people would have typed. All written for this purpose."""

CITIES = (
    "Lisbon", "Toronto", "Nairobi", "Osaka", "Berlin", "Austin", "Mumbai", "Oslo", "São Paulo", "Melbourne", "Warsaw",
    "Chicago", "Seoul", "Cape Town", "Madrid", "Vancouver", "Istanbul", "Denver", "Prague", "Singapore", "Dublin",
    "Bogotá", "Zurich", "Manchester", "Helsinki", "Boston", "Hanoi", "Lyon", "Cairo", "Phoenix", "Porto", "Ghent",
    "Portland", "Jakarta", "Naples", "Atlanta", "Auckland", "Krakow", "Leeds", "Munich",
)
COUNTRIES = (
    "Portugal", "Canada", "Kenya", "Japan", "Germany", "India", "Norway", "Brazil", "Australia", "Poland",
    "South Korea", "Spain", "Turkey", "Mexico", "Vietnam", "France", "Egypt", "Italy", "New Zealand", "Chile", "Sweden",
    "Greece", "Thailand", "Morocco", "Ireland", "Argentina", "Netherlands", "Peru", "Finland", "Indonesia",
)
COUNTRY_CODES = ("US", "DE", "GB", "FR", "JP", "BR", "IN", "CA", "AU", "ES", "IT", "SE", "PL", "KR")
STATES = (
    "Texas", "California", "Ohio", "Oregon", "Florida", "Bavaria", "Ontario", "Queensland", "New York", "Colorado",
    "Georgia", "Michigan",
)
REGIONS = (
    "Europe", "North America", "the Alps", "Southeast Asia", "Scandinavia", "the Midwest", "East Africa", "the Balkans",
    "Andalusia", "the Pacific Northwest",
)
STREETS = (
    "12 Harbour Street, Bristol", "480 Pine Ave, Denver", "Lindenallee 7, Berlin", "221 Elm St, Portland",
    "9 Rue des Fleurs, Lyon", "1600 Oak Lane, Austin", "33 King Street, Toronto",
)
LANGUAGES = (
    "Spanish", "French", "German", "Japanese", "Portuguese", "Italian", "Korean", "Arabic", "Polish", "Dutch", "Hindi",
    "Turkish", "Swedish", "Mandarin", "English",
)
CURRENCIES = (
    "EUR", "USD", "GBP", "JPY", "CHF", "BRL", "INR", "CAD", "AUD", "SEK", "PLN", "euros", "dollars", "pounds", "yen",
)
TICKERS = (
    "AAPL", "MSFT", "TSLA", "NVDA", "AMZN", "NFLX", "SAP", "IBM", "ORCL", "KO", "DIS", "INTC", "BA", "V", "PEP", "AMD",
    "SHOP",
)
COINS = (
    "bitcoin", "ethereum", "solana", "BTC", "ETH", "dogecoin", "cardano", "litecoin", "XRP", "polkadot", "avalanche",
    "chainlink",
)
CHAINS = ("ethereum", "polygon", "base", "arbitrum", "solana", "optimism", "bsc", "avalanche")
COMPANIES = (
    "Siemens", "Acme Corp", "Tesla", "Northwind Traders", "Nestlé", "Spotify", "Contoso", "Bluebird Coffee", "Volvo",
    "Samsung", "Globex", "Shopify", "Airbus", "Patagonia", "Intel", "Unilever",
)
PEOPLE = (
    "Maria Lopez", "John Smith", "Aisha Khan", "Tom Becker", "Yuki Tanaka", "Elena Rossi", "David Okafor", "Priya Nair",
    "Lucas Meyer", "Sophie Martin", "Daniel Kim", "Hannah Olsen", "Carlos Vega", "Grace Liu", "Peter Novak",
)
FIRST = ("anna", "sam", "lucas", "mia", "omar", "julia", "ben", "nina", "raj", "kate", "leo", "ines", "marco", "zoe")
LAST = ("berg", "fischer", "santos", "lee", "patel", "moreau", "kowalski", "jensen", "garcia", "brown", "rossi", "dahl")
HANDLES = (
    "mia.codes", "the_real_leo", "nasa", "coffeewithsam", "runner_jules", "devkate", "omarplays", "green.kitchen",
    "travel_nina", "pixelraj", "tim_w", "lindseyb", "skaterboy99",
)
DOMAINS = (
    "example.com", "bluebirdcoffee.com", "acme.io", "northwind.org", "mysite.dev", "shop.greenleaf.co",
    "openhealth.net", "rivertown.gov", "kitefly.app", "stonebridge.co.uk",
)
PAGES = (
    "", "/pricing", "/blog/launch", "/about", "/docs/start", "/products/42", "/news", "/contact", "/jobs/data-analyst",
)
PATHS = (
    "/home/sam/reports/q3.xlsx", "./src/main.py", "/tmp/upload/photo.jpg", "notes/todo.md",
    "C:\\Users\\Kate\\Documents\\budget.docx", "/var/log/app.log", "data/customers.csv", "/srv/site/index.html",
    "~/Downloads/invoice.pdf", "docs/readme.md", "/mnt/share/scan_07.png", "slides/kickoff.pptx",
    "/etc/nginx/nginx.conf", "models/tower.obj",
)
FILES = (
    "report.pdf", "sales_2023.csv", "cover.png", "notes.md", "backup.zip", "config.yaml", "invoice-117.pdf",
    "interview.mp3", "team.xlsx", "index.html", "draft_v2.docx", "demo.mp4", "schema.sql",
)
STEMS = (
    "report", "budget_2024", "q3-review", "notes", "/home/sam/draft", "data/sales", "holiday", "interview",
    "/tmp/upload", "summary_v2", "team",
)
FOLDERS = (
    "/home/sam/projects", "Documents/Taxes", "./build", "/srv/photos", "~/Desktop/trip", "src/components", "/data/raw",
    "Archive/2023", "reports/weekly",
)
TOPICS = (
    "solar panels", "remote work", "machine learning", "sourdough baking", "climate change", "electric bikes",
    "home insulation", "medieval history", "running shoes", "the housing market", "renewable energy", "stoicism",
    "AI in healthcare", "urban gardening", "supply chain delays", "data privacy", "coffee roasting",
    "quantum computing", "marathon training", "vintage cameras", "sleep quality", "inflation", "jazz guitar",
    "space telescopes", "noise cancelling headphones", "battery recycling", "vegan recipes", "budget travel",
    "rust programming", "wildlife photography",
)
WORDS = (
    "serendipity", "harvest", "quiet", "ephemeral", "bridge", "resilience", "lantern", "gratitude", "velvet", "orchard",
    "sharp", "compass", "drift", "bold",
)
TEXTS = (
    "The meeting moved to Thursday at ten.", "Thanks a lot for your quick reply!",
    "Our new store opens next week and everyone is invited.", "The delivery was late and the box was damaged.",
    "I really enjoyed the concert last night.", "Please review the attached draft before Friday.",
    "The quick test passed on the second try.", "We are hiring two people for the support team.",
    "It rained all weekend, so we stayed in.", "This product broke after two days.",
    "Server is back up, sorry for the noise.", "Let's keep the budget under control this year.",
)
TITLES = (
    "Q3 review", "Launch plan", "Spring newsletter", "Team offsite", "Weekly report", "Bug in checkout", "Grocery list",
    "Onboarding guide", "Roadmap 2025", "Summer trip", "Reading notes", "Sprint 14", "Marketing ideas",
    "Kitchen renovation", "Design review", "Home budget", "Release notes", "Client workshop",
)
PROJECTS = (
    "atlas", "website-redesign", "mobile-app", "billing", "data-pipeline", "phoenix", "homepage", "intranet", "orion",
    "checkout-service", "Blue Heron", "staging", "customer portal",
)
REPOS = (
    "acme/web-app", "sam/dotfiles", "northwind/api", "orion-data/pipeline", "kate/portfolio", "openkitchen/recipes",
    "contoso/mobile",
)
BRANCHES = ("main", "develop", "feature/login", "release-2.1", "fix/typo", "hotfix-billing")
DATABASES = ("sales", "inventory", "analytics", "crm_prod", "app_db", "orders", "warehouse")
TABLES = ("customers", "orders", "invoices", "users", "events", "products", "payments", "sessions")
SQL = (
    "SELECT * FROM orders LIMIT 10", "SELECT count(*) FROM users",
    "SELECT name, total FROM invoices WHERE paid = false",
)
COMMANDS = ("ls -la", "npm test", "git status", "df -h", "docker ps", "make build", "pip list")
CODE = (
    "print('hello')", "const x = 5;", "def add(a, b): return a + b", "for i in range(3): print(i)",
    "let total = items.length;",
)
CHANNELS = ("general", "support", "random", "eng-backend", "marketing", "announcements", "design-review")
TAGS = ("urgent", "billing", "beta", "follow-up", "frontend", "draft", "vip", "personal")
COLORS = ("red", "navy blue", "teal", "#ff8800", "dark green", "yellow", "light grey", "purple")
PRODUCTS = (
    "wireless headphones", "iPhone 15", "standing desk", "espresso machine", "winter jacket", "gaming laptop",
    "yoga mat", "air fryer", "trail shoes", "4K monitor", "electric kettle", "backpack",
)
BRANDS = ("Sony", "Toyota", "Nike", "IKEA", "Bosch", "Adidas", "Canon", "Honda", "Lego", "Philips", "BMW", "Dyson")
CARS = ("Toyota Corolla", "Tesla Model 3", "Ford Focus", "BMW 320i", "Honda Civic", "VW Golf", "Mazda CX-5")
MOVIES = (
    "Inception", "The Godfather", "Amélie", "Spirited Away", "Blade Runner", "Titanic", "Parasite", "Casablanca",
    "The Matrix", "Up",
)
SHOWS = ("Breaking Bad", "The Office", "Dark", "Friends", "Planet Earth", "Chernobyl", "Sherlock")
SONGS = (
    "Bohemian Rhapsody", "Imagine", "Billie Jean", "Hallelujah", "Yesterday", "Rolling in the Deep", "Hotel California",
    "Clocks",
)
ARTISTS = (
    "Radiohead", "Adele", "Miles Davis", "Björk", "Taylor Swift", "Daft Punk", "Nina Simone", "Coldplay", "Rosalía",
    "Bob Marley",
)
ALBUMS = ("Abbey Road", "Thriller", "Kind of Blue", "Rumours", "OK Computer", "Back to Black")
BOOKS = ("Dune", "Pride and Prejudice", "The Hobbit", "1984", "Sapiens", "Moby-Dick", "Beloved", "The Alchemist")
AUTHORS = (
    "Jane Austen", "George Orwell", "Toni Morrison", "Haruki Murakami", "Ursula Le Guin", "Gabriel García Márquez",
)
GENRES = (
    "jazz", "thriller", "science fiction", "comedy", "indie rock", "fantasy", "documentary", "hip hop", "romance",
    "horror",
)
GAMES = ("Minecraft", "Elden Ring", "Catan", "Stardew Valley", "Chess", "Tetris", "Zelda", "Fortnite")
TEAMS = (
    "Arsenal", "the Lakers", "Real Madrid", "the Yankees", "Bayern Munich", "the Raptors", "Ajax", "the Chiefs",
    "Benfica",
)
PLAYERS = (
    "LeBron James", "Lionel Messi", "Serena Williams", "Erling Haaland", "Stephen Curry", "Roger Federer",
    "Megan Rapinoe",
)
LEAGUES = ("the Premier League", "the NBA", "La Liga", "the Bundesliga", "the NFL", "Serie A", "the MLS")
SPORTS = ("tennis", "football", "basketball", "swimming", "cycling", "ice hockey", "cricket", "rowing")
SPECIES = (
    "red fox", "African elephant", "barn owl", "honey bee", "Atlantic salmon", "oak", "grey wolf", "monarch butterfly",
    "lavender",
)
ANIMALS = ("dog", "cat", "horse", "rabbit", "cow", "parrot", "goat")
FOODS = (
    "banana", "lasagna", "chicken curry", "oatmeal", "lentil soup", "salmon", "pancakes", "avocado toast", "risotto",
)
INGREDIENTS = (
    "tomatoes and basil", "chicken, rice and peas", "eggs, flour and milk", "chickpeas", "mushrooms",
    "tofu and broccoli",
)
DISEASES = ("asthma", "type 2 diabetes", "influenza", "hypertension", "migraine", "malaria", "arthritis")
SYMPTOMS = ("fever and cough", "a sore throat", "headache and nausea", "back pain", "a skin rash")
DRUGS = ("ibuprofen", "metformin", "amoxicillin", "aspirin", "lisinopril", "omeprazole")
HOTELS = ("Hotel Miramar", "Grand Plaza", "The Lakeside Inn", "Park Hotel", "Casa Azul")
AIRPORTS = ("LIS", "JFK", "FRA", "SFO", "HND", "LHR", "CDG", "YYZ", "SIN", "OSL")
AIRLINES = ("Lufthansa", "Delta", "TAP", "Emirates", "KLM", "Ryanair")
UNIVERSITIES = ("ETH Zurich", "Stanford", "the University of Porto", "MIT", "Kyoto University", "Oxford")
COURSES = ("Linear Algebra", "Intro to Python", "Art History 101", "Microeconomics", "Spanish A2")
INDUSTRIES = ("retail", "automotive", "healthcare", "fintech", "agriculture", "logistics", "hospitality", "education")
JOBS = ("data analyst", "nurse", "backend engineer", "teacher", "product manager", "electrician", "graphic designer")
SKILLS = ("Python", "project management", "welding", "SQL", "public speaking")
MATERIALS = ("steel", "oak wood", "concrete", "aluminium", "glass", "cotton", "copper")
ELEMENTS = ("copper", "helium", "gold", "carbon", "water", "caffeine", "sodium chloride", "oxygen")
LIBRARIES = ("react", "numpy", "express", "pandas", "lodash", "fastapi", "tokio", "django", "axios")
TECH = ("python", "typescript", "go", "rust", "java", "javascript")
TIMEZONES = ("Europe/Lisbon", "America/New_York", "Asia/Tokyo", "UTC", "Europe/Berlin", "Australia/Sydney")
GENDERS = ("male", "female", "women", "men")
AGE_GROUPS = ("18-25", "teenagers", "adults", "children", "25-34", "seniors")
AUDIENCES = ("young parents", "students", "small business owners", "runners", "retirees", "gamers")
PERIODS = (
    "the last 30 days", "last month", "this year", "the past week", "Q2", "2023", "the last quarter",
    "the past five years", "January to March",
)
PRIORITIES = ("high", "low", "medium", "critical")
STATUSES = ("open", "active", "pending", "completed", "closed", "in progress")
METHODS = ("linear regression", "FIFO", "Monte Carlo", "k-means", "the standard method")
DEVICES = ("the living room lamp", "thermostat-2", "kitchen sensor", "router-01", "Pixel 8", "the front door camera")
RELIGIONS = ("Buddhism", "Islam", "Christianity", "Hinduism", "Judaism")
SELECTORS = ("#submit", ".nav-link", "input[name=email]", "the login button", "button.primary")
KEYS = ("theme", "user:42", "cart_total", "feature_flags", "session_ttl")
COINPAIRS = ("BTC/USDT", "ETH/EUR", "SOL/USDT", "EUR/USD")
EXCHANGES = ("Binance", "Kraken", "NYSE", "NASDAQ", "Coinbase")
PLATFORMS = ("Steam", "Android", "Instagram", "PlayStation", "YouTube", "iOS", "Windows")
EVENTS = (
    "Maria's birthday", "team retro", "the spring conference", "dentist appointment", "product launch",
    "the school concert",
)
EXPRESSIONS = ("3x^2 + 2x - 5", "(4 + 7) * 12", "x^3 - 8", "sin(x) + cos(x)", "18 / 3 + 5")
