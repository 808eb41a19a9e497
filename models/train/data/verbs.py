"""The verbs that tool documents begin with, and their forms.

A list and not a guess by ending: "lists" is a verb in "Lists all boards" and a noun in "lists of boards", and a wrong
guess ("Statu the order") reads as broken to a person and teaches a model nothing.
"""

BASE = frozenset(
    """
    accept access acknowledge acquire activate add adjust administer advance aggregate align allocate analyse analyze
    annotate append apply approve archive arrange ask assess assign attach audit authenticate authorize autocomplete
    backtest balance ban batch bind block book bookmark boost borrow bring broadcast browse build burn buy calculate
    calibrate call cancel capture categorize change chat check choose clarify classify clean clear click clone close
    collect combine command comment commit compare compile complete compose compress compute conduct configure
    confirm conjugate connect construct continue control convert copy correct count crawl create crop customize cut
    deactivate deal debug decline decode decompile decompose decompress decrypt dedupe define delete deliver
    demolish demonstrate demote deny deploy describe design detect determine diagnose disable disclose disconnect
    discover dismiss dispatch dispense display disseminate divide donate download drag draw drop dump duplicate echo
    edit embed emit enable encode encrypt end enforce engage enhance enrich enroll enumerate equip escalate
    establish estimate evaluate examine exclude execute expand explain exploit explore export extend extract
    facilitate factor favorite fetch fill filter find finish fit fix flag flatten flip follow forecast fork format
    forward free fund gather generate geocode get give grant greet group guess handle hash heal help hide highlight
    hire hover identify implement import improve include increase increment index infer ingest initialize initiate
    insert inspect install interpret invalidate invite invoke issue join kick kill label launch learn leave lend
    like link lint list listen load locate lock log look lookup make manage map mark match maximize measure merge
    migrate minimize mint mix model modify monitor mount move multiply mute name narrow navigate normalize notify
    obtain offer onboard open optimize order organize paginate parse paste patch pause pay perform pick pin ping
    place plan play plot poll populate post predict prepare press prevent preview print prioritize process produce
    project promote prove provide provision publish pull purchase purge purify push put query queue quit quote rank
    rate react read reboot rebuild recall receive recognize recommend reconnect record recover redeem redeploy redo
    reduce refactor refresh refund register reject release reload remind remove rename render renew rent reopen
    reorder repair repay repeat replace reply report repost request rerun reschedule reserve reset resize resolve
    respond restart restore restrict resume retrieve retry return reverse revert review revise revoke rewrite roll
    rotate route run sample sanitize save say scan schedule score scrape screenshot scroll search see select sell
    send separate serialize set share shift ship shorten show shrink shuffle shutdown sign simplify simulate skip
    snap sniff snooze solve sort spawn speak spell spin split stage stake standardize star start stop store stream
    style submit subscribe subtract suggest sum summarise summarize suspend swap swipe switch sync synchronize
    synthesize tag take talk tell terminate test toggle tokenize track trade train transcribe transfer transform
    translate transliterate trigger trim turn type unarchive unassign unban unblock uncheck undo unfollow ungroup
    uninstall unlike unlink unlock unmute unpin unpublish unregister unstar unsubscribe unzip update upgrade upload
    upsert use validate vectorize verify view visit visualize vote wait wake warn watch wipe withdraw wrap write zip
    zoom
    """.split()
)
# First words that are more often nouns: they count as verbs only in the plain form before a determiner or an object.
NOUNISH = frozenset(
    "access batch book bulk comment factor filter format free group index issue label like list log map model "
                    "name order project query rank rate record report request review sample score search stream "
                    "style test "
                    "type use view match place plan post process summary time balance design chat project spell "
                    "trade quote route deal command stage fund fit patch offer turn".split())
DOUBLED = frozenset(
    "get set put run stop plan map submit drop swap plot scan tag ban log pin skip chat shut begin cut unban "
                    "unpin trim wrap zip crop drag flip snap quit spot hit star format".split()) - {"format"}
RETRIEVE = frozenset(
    "get fetch retrieve return list show find provide obtain display view see read search look lookup query "
                     "locate discover access give browse load receive enumerate collect gather explore".split())
WRITE = frozenset(
    "create add save send write post upload store publish export insert append update schedule share email "
                  "make generate draft submit".split())
COMPUTE = frozenset(
    "calculate compute convert analyze analyse compare estimate predict summarize summarise translate evaluate "
                    "classify detect count measure solve".split())


def third(verb):
    """`create` → `creates`."""
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")


def gerund(verb):
    """`create` → `creating`, `get` → `getting`."""
    if verb in DOUBLED:
        return verb + verb[-1] + "ing"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return verb + "ing"


THIRD = {third(verb): verb for verb in BASE}
GERUND = {gerund(verb): verb for verb in BASE}
