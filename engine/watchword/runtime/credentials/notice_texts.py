"""The texts of notices, by language: what a mail says when a way to sign in was added or removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

Noticed: TypeAlias = Literal["added", "removed"]


NOTICE_TEXTS: Final[Mapping[str, Mapping[Noticed, tuple[str, str]]]] = {
    "ar": {
        "added": (
            "أُضيفت طريقة لتسجيل الدخول إلى حسابك",
            """أُضيفت إلى حسابك طريقة لتسجيل الدخول: {kind}

إذا كنت أنت من فعل ذلك فلا يلزمك فعل شيء. وإلا فقد يتمكن شخص آخر من الدخول باسمك:
أزلها فورًا، أو أبلغ الدعم برقم المرجع.

المرجع: {ref}
""",
        ),
        "removed": (
            "أُزيلت طريقة لتسجيل الدخول إلى حسابك",
            """أُزيلت من حسابك طريقة لتسجيل الدخول: {kind}

إذا كنت أنت من فعل ذلك فلا يلزمك فعل شيء. وإلا فإن شخصًا آخر قد دخل باسمك: أبلغ الدعم برقم المرجع فورًا.

المرجع: {ref}
""",
        ),
    },
    "de": {
        "added": (
            "Neue Art der Anmeldung für Ihr Konto",
            """Ihr Konto hat eine neue Art der Anmeldung: {kind}

Wer das selbst getan hat, braucht nichts zu tun. Andernfalls kann sich jemand anderes mit Ihrem Namen anmelden: bitte
sofort entfernen und dem Kundendienst die Kennung nennen.

Kennung: {ref}
""",
        ),
        "removed": (
            "Eine Art der Anmeldung wurde aus Ihrem Konto entfernt",
            """Aus Ihrem Konto wurde eine Art der Anmeldung entfernt: {kind}

Wer das selbst getan hat, braucht nichts zu tun. Andernfalls hat jemand anderes Zugang zu Ihrem Konto: bitte dem
Kundendienst sofort die Kennung nennen.

Kennung: {ref}
""",
        ),
    },
    "en": {
        "added": (
            "A way to sign in was added to your account",
            """A way to sign in was added to your account: {kind}

If you did this, you need do nothing. If you did not, somebody else can sign in as you: remove it at once, or tell
support the reference.

Reference: {ref}
""",
        ),
        "removed": (
            "A way to sign in was removed from your account",
            """A way to sign in was removed from your account: {kind}

If you did this, you need do nothing. If you did not, somebody else is signed in as you: tell support the reference at
once.

Reference: {ref}
""",
        ),
    },
    "es": {
        "added": (
            "Se ha añadido una forma de acceso a su cuenta",
            """Se ha añadido a su cuenta una forma de acceso: {kind}

Si ha sido usted, no tiene que hacer nada. Si no, otra persona puede entrar en su nombre: elimínela enseguida o
comunique la referencia a la asistencia.

Referencia: {ref}
""",
        ),
        "removed": (
            "Se ha eliminado una forma de acceso de su cuenta",
            """Se ha eliminado de su cuenta una forma de acceso: {kind}

Si ha sido usted, no tiene que hacer nada. Si no, otra persona ha entrado en su nombre: comunique enseguida la
referencia a la asistencia.

Referencia: {ref}
""",
        ),
    },
    "fr": {
        "added": (
            "Un moyen de connexion a été ajouté à votre compte",
            """Un moyen de connexion a été ajouté à votre compte : {kind}

Si c'est vous, vous n'avez rien à faire. Sinon, quelqu'un d'autre peut se connecter à votre place : supprimez-le tout de
suite, ou donnez la référence à l'assistance.

Référence : {ref}
""",
        ),
        "removed": (
            "Un moyen de connexion a été supprimé de votre compte",
            """Un moyen de connexion a été supprimé de votre compte : {kind}

Si c'est vous, vous n'avez rien à faire. Sinon, quelqu'un d'autre est connecté à votre place : donnez tout de suite la
référence à l'assistance.

Référence : {ref}
""",
        ),
    },
    "it": {
        "added": (
            "Al tuo account è stato aggiunto un modo di accedere",
            """Al tuo account è stato aggiunto un modo di accedere: {kind}

Se sei stato tu, non devi fare nulla. Altrimenti qualcun altro può accedere al posto tuo: rimuovilo subito, oppure
comunica il riferimento all'assistenza.

Riferimento: {ref}
""",
        ),
        "removed": (
            "Dal tuo account è stato rimosso un modo di accedere",
            """Dal tuo account è stato rimosso un modo di accedere: {kind}

Se sei stato tu, non devi fare nulla. Altrimenti qualcun altro ha eseguito l'accesso al posto tuo: comunica subito il
riferimento all'assistenza.

Riferimento: {ref}
""",
        ),
    },
    "ja": {
        "added": (
            "アカウントにログイン方法が追加されました",
            """アカウントに次のログイン方法が追加されました: {kind}

ご自身で行った場合は、何もする必要はありません。お心当たりがない場合は、他人があなたとしてログインできる状態です。
すぐに削除するか、サポートに照会番号をお知らせください。

照会番号: {ref}
""",
        ),
        "removed": (
            "アカウントからログイン方法が削除されました",
            """アカウントから次のログイン方法が削除されました: {kind}

ご自身で行った場合は、何もする必要はありません。お心当たりがない場合は、他人があなたとしてログインしています。
すぐにサポートに照会番号をお知らせください。

照会番号: {ref}
""",
        ),
    },
    "nl": {
        "added": (
            "Er is een manier om in te loggen aan uw account toegevoegd",
            """Aan uw account is een manier om in te loggen toegevoegd: {kind}

Hebt u dit zelf gedaan, dan hoeft u niets te doen. Zo niet, dan kan iemand anders als u inloggen: verwijder deze manier
meteen, of geef het kenmerk door aan de klantenservice.

Kenmerk: {ref}
""",
        ),
        "removed": (
            "Er is een manier om in te loggen uit uw account verwijderd",
            """Uit uw account is een manier om in te loggen verwijderd: {kind}

Hebt u dit zelf gedaan, dan hoeft u niets te doen. Zo niet, dan is iemand anders als u ingelogd: geef het kenmerk meteen
door aan de klantenservice.

Kenmerk: {ref}
""",
        ),
    },
    "pl": {
        "added": (
            "Do Twojego konta dodano sposób logowania",
            """Do Twojego konta dodano sposób logowania: {kind}

Jeśli to Twoja zmiana, nie musisz nic robić. Jeśli nie, ktoś inny może zalogować się jako Ty: usuń go od razu albo podaj
numer pomocy technicznej.

Numer: {ref}
""",
        ),
        "removed": (
            "Z Twojego konta usunięto sposób logowania",
            """Z Twojego konta usunięto sposób logowania: {kind}

Jeśli to Twoja zmiana, nie musisz nic robić. Jeśli nie, ktoś inny jest zalogowany jako Ty: od razu podaj numer pomocy
technicznej.

Numer: {ref}
""",
        ),
    },
    "pt-br": {
        "added": (
            "Uma forma de acesso foi adicionada à sua conta",
            """Uma forma de acesso foi adicionada à sua conta: {kind}

Se foi você, não precisa fazer nada. Se não foi, outra pessoa pode entrar em seu lugar: remova-a imediatamente, ou
informe a referência ao suporte.

Referência: {ref}
""",
        ),
        "removed": (
            "Uma forma de acesso foi removida da sua conta",
            """Uma forma de acesso foi removida da sua conta: {kind}

Se foi você, não precisa fazer nada. Se não foi, outra pessoa entrou em seu lugar: informe imediatamente a referência ao
suporte.

Referência: {ref}
""",
        ),
    },
}
"""Subject and text of each notice, by language; in the text ``{kind}`` and ``{ref}`` are filled in. To add a language, add an entry.

Nothing in them is the user's own: a label could hold a stranger's text.
"""
