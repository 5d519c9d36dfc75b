// @ts-check
/**
 * `<watchword-sign-in>`: a form for sign-ins of Amazon Cognito's custom authentication. It shows any challenge by its public
 * parameters alone. One file, without a framework or a build step: load it by `<script type="module" src="watchword-sign-in.js">`.
 *
 * Attributes: `endpoint` (the address that Cognito's operations are posted to), `client-id`, `flow` (`custom`, or `custom-srp` if a password
 * comes first), `locale` (else that of the page or the browser), `username` (who signs in, if the page knows), `heading-level` (1 to 6).
 * Property `handler`: an object with `begin(username, password)` and `respond(answer, metadata)`, which the form then calls in place of
 * the endpoint; each returns a promise of `{challenge: parameters}` or of `{done: tokens}`, which may be anything that counts as true.
 * Events: `watchword:challenge`, `watchword:signed-in`, `watchword:error`.
 */

/** @typedef {{[name: string]: string}} Texts */
/** @typedef {{challenge?: Texts, name?: string, done?: unknown, now?: number}} Reply What a sign-in has come to: a challenge, or its end; and the service's time, in epoch seconds. */
/** @typedef {{begin: (username: string, password: string) => Promise<Reply>, respond: (answer: string, metadata: Texts, attributes?: Texts) => Promise<Reply>}} Handler */
/** @typedef {{name: string, label: string, type?: string, inputmode?: string, autocomplete?: string, maxlength?: number, help?: string}} Field */

// Texts ------------------------------------------------------------------------------------------------------------------------------

/** The texts by language. Whoever adds a language adds a line to each. @type {{[locale: string]: Texts}} */
export const TEXTS = {
  en: {
    title: 'Sign in', username: 'User name', password: 'Password', next: 'Continue', answer: 'Answer', code: 'Code',
    choose: 'How do you want to sign in?', sent: 'A code was sent to {destination}.', sent_anywhere: 'If you can receive messages, a code was sent to you.',
    sent_link: 'Open the link in the message in this browser, or type the code.', sent_link_anywhere: 'Open the link in the message, or type the code.', again: 'Send again', again_in: 'Send again in {seconds} s', left: 'Attempts left: {left}',
    until: 'Valid until {time}', reference: 'Reference: {ref}', restart: 'Start again', done: 'You are signed in.', working: 'One moment …',
    picture: 'Characters in the picture', passkey: 'Use a passkey', passkey_new: 'Create a passkey', passkey_failed: 'The passkey was not used. Try again, or start again.',
    app: 'Code from your authenticator app', app_new: 'Scan the picture with your authenticator app, then type the code that it shows.', secret: 'Or type this key into the app:', qr: 'QR code for an authenticator app',
    recovery: 'Recovery code', recovery_new: 'Keep these codes in a safe place. Each one signs you in once.', recovery_one: 'Type one of the codes, to show that you kept them',
    work: 'Your browser is working out a small task.', link_elsewhere: 'Open this link in the browser in which you began to sign in, or type the code from the message there. A link works once.', link_here: 'Sign in with the link',
    link_anywhere: 'You can sign in here with this link.', link_spent: 'This link does not work any more. A link works once, and only for a short time.', other_tab: 'You opened the link in another tab. The sign-in goes on there.', other_tab_done: 'You signed in in another tab. You can close this one.',
    wrong: 'That was not right.', expired: 'That code is no longer valid. A new one is on its way.', expired_picture: 'That picture is no longer valid. Here is a new one.', too_late: 'That took too long. Try again.', other_browser: 'This link belongs to another sign-in. Type the code from the newest message.', try_later: 'No other message can be sent now. The last code is still valid.',
    resends_used_up: 'No other message can be sent. The last code is still valid.', unavailable: 'This is not available now. Continue with another way.', unavailable_over: 'You cannot sign in now. Try again later.', not_enrolled: 'You have not set this up.', refused: 'The sign-in failed.',
    session_over: 'You took too long. Start again.', later: 'Too many attempts. Try again later.', offline: 'There is no connection. Try again.', broken: 'Something went wrong. Try again later.', unsupported: 'This form cannot show the next step ({name}).',
    missing: 'Fill in this field: {field}', new_password: 'New password', new_password_why: 'Choose a new password to go on.', weak_password: 'This password does not fit the rules.', signed_out: 'For this step you have to be signed in.', tries: 'Tries: {tries}',
    email_otp: 'Code by e-mail', sms_otp: 'Code by text message', magic_link: 'Link by e-mail', totp: 'Authenticator app', recovery_codes: 'Recovery code', captcha: 'Picture', proof_of_work: 'Automatic check', passkey_kind: 'Passkey',
  },
  de: {
    title: 'Anmelden', username: 'Benutzername', password: 'Passwort', next: 'Weiter', answer: 'Antwort', code: 'Code',
    choose: 'Wie möchten Sie sich anmelden?', sent: 'Ein Code wurde an {destination} gesendet.', sent_anywhere: 'Wenn Sie Nachrichten empfangen können, wurde Ihnen ein Code gesendet.',
    sent_link: 'Öffnen Sie den Link aus der Nachricht in diesem Browser, oder geben Sie den Code ein.', sent_link_anywhere: 'Öffnen Sie den Link aus der Nachricht, oder geben Sie den Code ein.', again: 'Erneut senden', again_in: 'Erneut senden in {seconds} s', left: 'Verbleibende Versuche: {left}',
    until: 'Gültig bis {time}', reference: 'Referenz: {ref}', restart: 'Von vorn beginnen', done: 'Sie sind angemeldet.', working: 'Einen Moment …',
    picture: 'Zeichen im Bild', passkey: 'Passkey verwenden', passkey_new: 'Passkey erstellen', passkey_failed: 'Der Passkey wurde nicht verwendet. Versuchen Sie es noch einmal, oder beginnen Sie von vorn.',
    app: 'Code aus Ihrer Authenticator-App', app_new: 'Scannen Sie das Bild mit Ihrer Authenticator-App, und geben Sie dann den Code ein, den sie zeigt.', secret: 'Oder geben Sie diesen Schlüssel in die App ein:', qr: 'QR-Code für eine Authenticator-App',
    recovery: 'Wiederherstellungscode', recovery_new: 'Bewahren Sie diese Codes sicher auf. Jeder meldet Sie einmal an.', recovery_one: 'Geben Sie einen der Codes ein, um zu zeigen, dass Sie sie aufbewahrt haben',
    work: 'Ihr Browser löst eine kleine Rechenaufgabe.', link_elsewhere: 'Öffnen Sie diesen Link in dem Browser, in dem Sie die Anmeldung begonnen haben, oder geben Sie dort den Code aus der Nachricht ein. Ein Link gilt nur einmal.', link_here: 'Mit dem Link anmelden',
    link_anywhere: 'Mit diesem Link können Sie sich hier anmelden.', link_spent: 'Dieser Link gilt nicht mehr. Ein Link gilt nur einmal und nur kurze Zeit.', other_tab: 'Sie haben den Link in einem anderen Tab geöffnet. Dort geht die Anmeldung weiter.', other_tab_done: 'Sie haben sich in einem anderen Tab angemeldet. Diesen können Sie schließen.',
    wrong: 'Das war nicht richtig.', expired: 'Dieser Code gilt nicht mehr. Ein neuer ist unterwegs.', expired_picture: 'Dieses Bild gilt nicht mehr. Hier ist ein neues.', too_late: 'Das hat zu lange gedauert. Versuchen Sie es noch einmal.', other_browser: 'Dieser Link gehört zu einer anderen Anmeldung. Geben Sie den Code aus der neuesten Nachricht ein.', try_later: 'Es kann jetzt keine weitere Nachricht gesendet werden. Der letzte Code gilt noch.',
    resends_used_up: 'Es kann keine weitere Nachricht gesendet werden. Der letzte Code gilt noch.', unavailable: 'Das ist zurzeit nicht verfügbar. Fahren Sie auf einem anderen Weg fort.', unavailable_over: 'Sie können sich zurzeit nicht anmelden. Versuchen Sie es später noch einmal.', not_enrolled: 'Das haben Sie nicht eingerichtet.', refused: 'Die Anmeldung ist fehlgeschlagen.',
    session_over: 'Es hat zu lange gedauert. Beginnen Sie von vorn.', later: 'Zu viele Versuche. Versuchen Sie es später noch einmal.', offline: 'Es besteht keine Verbindung. Versuchen Sie es noch einmal.', broken: 'Etwas ist schiefgegangen. Versuchen Sie es später noch einmal.', unsupported: 'Dieses Formular kann den nächsten Schritt nicht zeigen ({name}).',
    missing: 'Füllen Sie dieses Feld aus: {field}', new_password: 'Neues Passwort', new_password_why: 'Wählen Sie ein neues Passwort, um fortzufahren.', weak_password: 'Dieses Passwort entspricht nicht den Regeln.', signed_out: 'Für diesen Schritt müssen Sie angemeldet sein.', tries: 'Versuche: {tries}',
    email_otp: 'Code per E-Mail', sms_otp: 'Code per SMS', magic_link: 'Link per E-Mail', totp: 'Authenticator-App', recovery_codes: 'Wiederherstellungscode', captcha: 'Bild', proof_of_work: 'Automatische Prüfung', passkey_kind: 'Passkey',
  },
  fr: {
    title: 'Connexion', username: 'Nom d’utilisateur', password: 'Mot de passe', next: 'Continuer', answer: 'Réponse', code: 'Code',
    choose: 'Comment voulez-vous vous connecter ?', sent: 'Un code a été envoyé à {destination}.', sent_anywhere: 'Si vous pouvez recevoir des messages, un code vous a été envoyé.',
    sent_link: 'Ouvrez le lien du message dans ce navigateur, ou saisissez le code.', sent_link_anywhere: 'Ouvrez le lien du message, ou saisissez le code.', again: 'Renvoyer', again_in: 'Renvoyer dans {seconds} s', left: 'Essais restants : {left}',
    until: 'Valable jusqu’à {time}', reference: 'Référence : {ref}', restart: 'Recommencer', done: 'Vous êtes connecté.', working: 'Un instant …',
    picture: 'Caractères de l’image', passkey: 'Utiliser une clé d’accès', passkey_new: 'Créer une clé d’accès', passkey_failed: 'La clé d’accès n’a pas été utilisée. Réessayez, ou recommencez.',
    app: 'Code de votre application d’authentification', app_new: 'Scannez l’image avec votre application d’authentification, puis saisissez le code affiché.', secret: 'Ou saisissez cette clé dans l’application :', qr: 'Code QR pour une application d’authentification',
    recovery: 'Code de récupération', recovery_new: 'Conservez ces codes en lieu sûr. Chacun vous connecte une fois.', recovery_one: 'Saisissez l’un des codes, pour montrer que vous les avez conservés',
    work: 'Votre navigateur effectue un petit calcul.', link_elsewhere: 'Ouvrez ce lien dans le navigateur où vous avez commencé la connexion, ou saisissez-y le code du message. Un lien ne sert qu’une fois.', link_here: 'Se connecter avec le lien',
    link_anywhere: 'Vous pouvez vous connecter ici avec ce lien.', link_spent: 'Ce lien n’est plus valable. Un lien ne sert qu’une fois, et pour peu de temps.', other_tab: 'Vous avez ouvert le lien dans un autre onglet. La connexion s’y poursuit.', other_tab_done: 'Vous vous êtes connecté dans un autre onglet. Vous pouvez fermer celui-ci.',
    wrong: 'Ce n’était pas correct.', expired: 'Ce code n’est plus valable. Un nouveau code est en route.', expired_picture: 'Cette image n’est plus valable. En voici une nouvelle.', too_late: 'Cela a pris trop de temps. Réessayez.', other_browser: 'Ce lien appartient à une autre connexion. Saisissez le code du message le plus récent.', try_later: 'Aucun autre message ne peut être envoyé maintenant. Le dernier code est encore valable.',
    resends_used_up: 'Aucun autre message ne peut être envoyé. Le dernier code est encore valable.', unavailable: 'Ce n’est pas disponible pour le moment. Continuez d’une autre manière.', unavailable_over: 'Vous ne pouvez pas vous connecter pour le moment. Réessayez plus tard.', not_enrolled: 'Vous ne l’avez pas configuré.', refused: 'La connexion a échoué.',
    session_over: 'Le délai est dépassé. Recommencez.', later: 'Trop d’essais. Réessayez plus tard.', offline: 'Il n’y a pas de connexion. Réessayez.', broken: 'Une erreur s’est produite. Réessayez plus tard.', unsupported: 'Ce formulaire ne peut pas montrer l’étape suivante ({name}).',
    missing: 'Remplissez ce champ : {field}', new_password: 'Nouveau mot de passe', new_password_why: 'Choisissez un nouveau mot de passe pour continuer.', weak_password: 'Ce mot de passe ne respecte pas les règles.', signed_out: 'Pour cette étape, vous devez être connecté.', tries: 'Essais : {tries}',
    email_otp: 'Code par e-mail', sms_otp: 'Code par SMS', magic_link: 'Lien par e-mail', totp: 'Application d’authentification', recovery_codes: 'Code de récupération', captcha: 'Image', proof_of_work: 'Vérification automatique', passkey_kind: 'Clé d’accès',
  },
  es: {
    title: 'Iniciar sesión', username: 'Nombre de usuario', password: 'Contraseña', next: 'Continuar', answer: 'Respuesta', code: 'Código',
    choose: '¿Cómo quiere iniciar sesión?', sent: 'Se envió un código a {destination}.', sent_anywhere: 'Si puede recibir mensajes, se le envió un código.',
    sent_link: 'Abra el enlace del mensaje en este navegador, o escriba el código.', sent_link_anywhere: 'Abra el enlace del mensaje, o escriba el código.', again: 'Enviar de nuevo', again_in: 'Enviar de nuevo en {seconds} s', left: 'Intentos restantes: {left}',
    until: 'Válido hasta {time}', reference: 'Referencia: {ref}', restart: 'Empezar de nuevo', done: 'Ha iniciado sesión.', working: 'Un momento …',
    picture: 'Caracteres de la imagen', passkey: 'Usar una clave de acceso', passkey_new: 'Crear una clave de acceso', passkey_failed: 'No se usó la clave de acceso. Inténtelo otra vez o empiece de nuevo.',
    app: 'Código de su aplicación de autenticación', app_new: 'Escanee la imagen con su aplicación de autenticación y escriba el código que muestra.', secret: 'O escriba esta clave en la aplicación:', qr: 'Código QR para una aplicación de autenticación',
    recovery: 'Código de recuperación', recovery_new: 'Guarde estos códigos en un lugar seguro. Cada uno sirve para iniciar sesión una vez.', recovery_one: 'Escriba uno de los códigos, para mostrar que los guardó',
    work: 'Su navegador está resolviendo una pequeña tarea.', link_elsewhere: 'Abra este enlace en el navegador donde empezó a iniciar sesión, o escriba allí el código del mensaje. Un enlace sirve una sola vez.', link_here: 'Iniciar sesión con el enlace',
    link_anywhere: 'Puede iniciar sesión aquí con este enlace.', link_spent: 'Este enlace ya no es válido. Un enlace sirve una sola vez y por poco tiempo.', other_tab: 'Abrió el enlace en otra pestaña. El inicio de sesión continúa allí.', other_tab_done: 'Inició sesión en otra pestaña. Puede cerrar esta.',
    wrong: 'No era correcto.', expired: 'Ese código ya no es válido. Hay uno nuevo en camino.', expired_picture: 'Esa imagen ya no es válida. Aquí hay una nueva.', too_late: 'Tardó demasiado. Inténtelo otra vez.', other_browser: 'Este enlace pertenece a otro inicio de sesión. Escriba el código del mensaje más reciente.', try_later: 'Ahora no se puede enviar otro mensaje. El último código sigue siendo válido.',
    resends_used_up: 'No se puede enviar otro mensaje. El último código sigue siendo válido.', unavailable: 'No está disponible ahora. Continúe de otra manera.', unavailable_over: 'Ahora no puede iniciar sesión. Inténtelo más tarde.', not_enrolled: 'No lo ha configurado.', refused: 'No se pudo iniciar sesión.',
    session_over: 'Tardó demasiado. Empiece de nuevo.', later: 'Demasiados intentos. Inténtelo más tarde.', offline: 'No hay conexión. Inténtelo otra vez.', broken: 'Algo salió mal. Inténtelo más tarde.', unsupported: 'Este formulario no puede mostrar el paso siguiente ({name}).',
    missing: 'Rellene este campo: {field}', new_password: 'Nueva contraseña', new_password_why: 'Elija una nueva contraseña para continuar.', weak_password: 'Esta contraseña no cumple las reglas.', signed_out: 'Para este paso debe haber iniciado sesión.', tries: 'Intentos: {tries}',
    email_otp: 'Código por correo', sms_otp: 'Código por SMS', magic_link: 'Enlace por correo', totp: 'Aplicación de autenticación', recovery_codes: 'Código de recuperación', captcha: 'Imagen', proof_of_work: 'Comprobación automática', passkey_kind: 'Clave de acceso',
  },
  it: {
    title: 'Accedi', username: 'Nome utente', password: 'Password', next: 'Continua', answer: 'Risposta', code: 'Codice',
    choose: 'Come vuoi accedere?', sent: 'È stato inviato un codice a {destination}.', sent_anywhere: 'Se puoi ricevere messaggi, ti è stato inviato un codice.',
    sent_link: 'Apri il link del messaggio in questo browser, oppure inserisci il codice.', sent_link_anywhere: 'Apri il link del messaggio, oppure inserisci il codice.', again: 'Invia di nuovo', again_in: 'Invia di nuovo tra {seconds} s', left: 'Tentativi rimasti: {left}',
    until: 'Valido fino alle {time}', reference: 'Riferimento: {ref}', restart: 'Ricomincia', done: 'Hai effettuato l’accesso.', working: 'Un momento …',
    picture: 'Caratteri nell’immagine', passkey: 'Usa una passkey', passkey_new: 'Crea una passkey', passkey_failed: 'La passkey non è stata usata. Riprova, oppure ricomincia.',
    app: 'Codice della tua app di autenticazione', app_new: 'Scansiona l’immagine con la tua app di autenticazione, poi inserisci il codice che mostra.', secret: 'Oppure inserisci questa chiave nell’app:', qr: 'Codice QR per un’app di autenticazione',
    recovery: 'Codice di recupero', recovery_new: 'Conserva questi codici in un luogo sicuro. Ognuno permette un accesso.', recovery_one: 'Inserisci uno dei codici, per mostrare che li hai conservati',
    work: 'Il browser sta svolgendo un piccolo calcolo.', link_elsewhere: 'Apri questo link nel browser in cui hai iniziato l’accesso, oppure inserisci lì il codice del messaggio. Un link funziona una sola volta.', link_here: 'Accedi con il link',
    link_anywhere: 'Puoi accedere qui con questo link.', link_spent: 'Questo link non è più valido. Un link funziona una sola volta e per poco tempo.', other_tab: 'Hai aperto il link in un’altra scheda. L’accesso continua lì.', other_tab_done: 'Hai effettuato l’accesso in un’altra scheda. Puoi chiudere questa.',
    wrong: 'Non era corretto.', expired: 'Quel codice non è più valido. Ne sta arrivando uno nuovo.', expired_picture: 'Quell’immagine non è più valida. Eccone una nuova.', too_late: 'È passato troppo tempo. Riprova.', other_browser: 'Questo link appartiene a un altro accesso. Inserisci il codice del messaggio più recente.', try_later: 'Ora non si può inviare un altro messaggio. L’ultimo codice è ancora valido.',
    resends_used_up: 'Non si può inviare un altro messaggio. L’ultimo codice è ancora valido.', unavailable: 'Al momento non è disponibile. Continua in un altro modo.', unavailable_over: 'Al momento non puoi accedere. Riprova più tardi.', not_enrolled: 'Non l’hai configurato.', refused: 'Accesso non riuscito.',
    session_over: 'È passato troppo tempo. Ricomincia.', later: 'Troppi tentativi. Riprova più tardi.', offline: 'Non c’è connessione. Riprova.', broken: 'Qualcosa è andato storto. Riprova più tardi.', unsupported: 'Questo modulo non può mostrare il passo successivo ({name}).',
    missing: 'Compila questo campo: {field}', new_password: 'Nuova password', new_password_why: 'Scegli una nuova password per continuare.', weak_password: 'Questa password non rispetta le regole.', signed_out: 'Per questo passaggio devi aver effettuato l’accesso.', tries: 'Tentativi: {tries}',
    email_otp: 'Codice via e-mail', sms_otp: 'Codice via SMS', magic_link: 'Link via e-mail', totp: 'App di autenticazione', recovery_codes: 'Codice di recupero', captcha: 'Immagine', proof_of_work: 'Controllo automatico', passkey_kind: 'Passkey',
  },
  pt: {
    title: 'Entrar', username: 'Nome de usuário', password: 'Senha', next: 'Continuar', answer: 'Resposta', code: 'Código',
    choose: 'Como você quer entrar?', sent: 'Um código foi enviado para {destination}.', sent_anywhere: 'Se você pode receber mensagens, um código foi enviado.',
    sent_link: 'Abra o link da mensagem neste navegador ou digite o código.', sent_link_anywhere: 'Abra o link da mensagem ou digite o código.', again: 'Enviar de novo', again_in: 'Enviar de novo em {seconds} s', left: 'Tentativas restantes: {left}',
    until: 'Válido até {time}', reference: 'Referência: {ref}', restart: 'Começar de novo', done: 'Você entrou.', working: 'Um momento …',
    picture: 'Caracteres na imagem', passkey: 'Usar uma chave de acesso', passkey_new: 'Criar uma chave de acesso', passkey_failed: 'A chave de acesso não foi usada. Tente novamente ou comece de novo.',
    app: 'Código do seu aplicativo autenticador', app_new: 'Leia a imagem com o seu aplicativo autenticador e digite o código que ele mostra.', secret: 'Ou digite esta chave no aplicativo:', qr: 'Código QR para um aplicativo autenticador',
    recovery: 'Código de recuperação', recovery_new: 'Guarde estes códigos em um lugar seguro. Cada um permite entrar uma vez.', recovery_one: 'Digite um dos códigos, para mostrar que os guardou',
    work: 'Seu navegador está resolvendo uma pequena tarefa.', link_elsewhere: 'Abra este link no navegador em que você começou a entrar ou digite lá o código da mensagem. Um link funciona uma só vez.', link_here: 'Entrar com o link',
    link_anywhere: 'Você pode entrar aqui com este link.', link_spent: 'Este link não vale mais. Um link funciona uma só vez e por pouco tempo.', other_tab: 'Você abriu o link em outra aba. A entrada continua lá.', other_tab_done: 'Você entrou em outra aba. Pode fechar esta.',
    wrong: 'Não estava certo.', expired: 'Esse código não vale mais. Um novo está a caminho.', expired_picture: 'Essa imagem não vale mais. Aqui está uma nova.', too_late: 'Demorou demais. Tente novamente.', other_browser: 'Este link pertence a outra entrada. Digite o código da mensagem mais recente.', try_later: 'Nenhuma outra mensagem pode ser enviada agora. O último código ainda vale.',
    resends_used_up: 'Nenhuma outra mensagem pode ser enviada. O último código ainda vale.', unavailable: 'Não está disponível agora. Continue de outra forma.', unavailable_over: 'Você não pode entrar agora. Tente mais tarde.', not_enrolled: 'Você não configurou isso.', refused: 'Não foi possível entrar.',
    session_over: 'Demorou demais. Comece de novo.', later: 'Tentativas demais. Tente mais tarde.', offline: 'Não há conexão. Tente novamente.', broken: 'Algo deu errado. Tente mais tarde.', unsupported: 'Este formulário não pode mostrar o próximo passo ({name}).',
    missing: 'Preencha este campo: {field}', new_password: 'Nova senha', new_password_why: 'Escolha uma nova senha para continuar.', weak_password: 'Esta senha não atende às regras.', signed_out: 'Para esta etapa, você precisa ter entrado.', tries: 'Tentativas: {tries}',
    email_otp: 'Código por e-mail', sms_otp: 'Código por SMS', magic_link: 'Link por e-mail', totp: 'Aplicativo autenticador', recovery_codes: 'Código de recuperação', captcha: 'Imagem', proof_of_work: 'Verificação automática', passkey_kind: 'Chave de acesso',
  },
  nl: {
    title: 'Inloggen', username: 'Gebruikersnaam', password: 'Wachtwoord', next: 'Doorgaan', answer: 'Antwoord', code: 'Code',
    choose: 'Hoe wilt u inloggen?', sent: 'Er is een code gestuurd naar {destination}.', sent_anywhere: 'Als u berichten kunt ontvangen, is u een code gestuurd.',
    sent_link: 'Open de link uit het bericht in deze browser, of typ de code.', sent_link_anywhere: 'Open de link uit het bericht, of typ de code.', again: 'Opnieuw sturen', again_in: 'Opnieuw sturen over {seconds} s', left: 'Resterende pogingen: {left}',
    until: 'Geldig tot {time}', reference: 'Referentie: {ref}', restart: 'Opnieuw beginnen', done: 'U bent ingelogd.', working: 'Een ogenblik …',
    picture: 'Tekens in de afbeelding', passkey: 'Passkey gebruiken', passkey_new: 'Passkey maken', passkey_failed: 'De passkey is niet gebruikt. Probeer het opnieuw, of begin opnieuw.',
    app: 'Code uit uw authenticator-app', app_new: 'Scan de afbeelding met uw authenticator-app en typ daarna de code die de app toont.', secret: 'Of typ deze sleutel in de app:', qr: 'QR-code voor een authenticator-app',
    recovery: 'Herstelcode', recovery_new: 'Bewaar deze codes op een veilige plaats. Met elke code kunt u één keer inloggen.', recovery_one: 'Typ een van de codes, om te laten zien dat u ze hebt bewaard',
    work: 'Uw browser lost een kleine rekentaak op.', link_elsewhere: 'Open deze link in de browser waarin u begon met inloggen, of typ daar de code uit het bericht. Een link werkt één keer.', link_here: 'Inloggen met de link',
    link_anywhere: 'U kunt hier inloggen met deze link.', link_spent: 'Deze link werkt niet meer. Een link werkt één keer, en maar korte tijd.', other_tab: 'U hebt de link in een ander tabblad geopend. Het inloggen gaat daar verder.', other_tab_done: 'U bent ingelogd in een ander tabblad. U kunt dit tabblad sluiten.',
    wrong: 'Dat was niet juist.', expired: 'Die code is niet meer geldig. Er is een nieuwe onderweg.', expired_picture: 'Die afbeelding is niet meer geldig. Hier is een nieuwe.', too_late: 'Het duurde te lang. Probeer het opnieuw.', other_browser: 'Deze link hoort bij een andere inlogpoging. Typ de code uit het nieuwste bericht.', try_later: 'Er kan nu geen ander bericht worden gestuurd. De laatste code is nog geldig.',
    resends_used_up: 'Er kan geen ander bericht worden gestuurd. De laatste code is nog geldig.', unavailable: 'Dit is nu niet beschikbaar. Ga verder op een andere manier.', unavailable_over: 'U kunt nu niet inloggen. Probeer het later opnieuw.', not_enrolled: 'U hebt dit niet ingesteld.', refused: 'Het inloggen is mislukt.',
    session_over: 'Het duurde te lang. Begin opnieuw.', later: 'Te veel pogingen. Probeer het later opnieuw.', offline: 'Er is geen verbinding. Probeer het opnieuw.', broken: 'Er ging iets mis. Probeer het later opnieuw.', unsupported: 'Dit formulier kan de volgende stap niet tonen ({name}).',
    missing: 'Vul dit veld in: {field}', new_password: 'Nieuw wachtwoord', new_password_why: 'Kies een nieuw wachtwoord om door te gaan.', weak_password: 'Dit wachtwoord voldoet niet aan de regels.', signed_out: 'Voor deze stap moet u ingelogd zijn.', tries: 'Pogingen: {tries}',
    email_otp: 'Code per e-mail', sms_otp: 'Code per sms', magic_link: 'Link per e-mail', totp: 'Authenticator-app', recovery_codes: 'Herstelcode', captcha: 'Afbeelding', proof_of_work: 'Automatische controle', passkey_kind: 'Passkey',
  },
  pl: {
    title: 'Zaloguj się', username: 'Nazwa użytkownika', password: 'Hasło', next: 'Dalej', answer: 'Odpowiedź', code: 'Kod',
    choose: 'Jak chcesz się zalogować?', sent: 'Kod został wysłany na {destination}.', sent_anywhere: 'Jeśli możesz odbierać wiadomości, kod został do Ciebie wysłany.',
    sent_link: 'Otwórz link z wiadomości w tej przeglądarce lub wpisz kod.', sent_link_anywhere: 'Otwórz link z wiadomości lub wpisz kod.', again: 'Wyślij ponownie', again_in: 'Wyślij ponownie za {seconds} s', left: 'Pozostałe próby: {left}',
    until: 'Ważny do {time}', reference: 'Numer referencyjny: {ref}', restart: 'Zacznij od nowa', done: 'Logowanie zakończone.', working: 'Chwileczkę …',
    picture: 'Znaki na obrazku', passkey: 'Użyj klucza dostępu', passkey_new: 'Utwórz klucz dostępu', passkey_failed: 'Klucz dostępu nie został użyty. Spróbuj ponownie lub zacznij od nowa.',
    app: 'Kod z aplikacji uwierzytelniającej', app_new: 'Zeskanuj obrazek aplikacją uwierzytelniającą, a następnie wpisz kod, który ona pokaże.', secret: 'Lub wpisz ten klucz w aplikacji:', qr: 'Kod QR dla aplikacji uwierzytelniającej',
    recovery: 'Kod odzyskiwania', recovery_new: 'Przechowuj te kody w bezpiecznym miejscu. Każdy pozwala zalogować się jeden raz.', recovery_one: 'Wpisz jeden z kodów, aby pokazać, że je masz',
    work: 'Twoja przeglądarka wykonuje małe obliczenie.', link_elsewhere: 'Otwórz ten link w przeglądarce, w której rozpoczęto logowanie, lub wpisz tam kod z wiadomości. Link działa tylko raz.', link_here: 'Zaloguj się linkiem',
    link_anywhere: 'Możesz zalogować się tutaj tym linkiem.', link_spent: 'Ten link już nie działa. Link działa tylko raz i tylko przez krótki czas.', other_tab: 'Link został otwarty w innej karcie. Logowanie trwa tam.', other_tab_done: 'Zalogowano w innej karcie. Tę możesz zamknąć.',
    wrong: 'To nie było poprawne.', expired: 'Ten kod stracił ważność. Nowy jest w drodze.', expired_picture: 'Ten obrazek stracił ważność. Oto nowy.', too_late: 'Trwało to zbyt długo. Spróbuj ponownie.', other_browser: 'Ten link należy do innego logowania. Wpisz kod z najnowszej wiadomości.', try_later: 'Nie można teraz wysłać kolejnej wiadomości. Ostatni kod jest nadal ważny.',
    resends_used_up: 'Nie można wysłać kolejnej wiadomości. Ostatni kod jest nadal ważny.', unavailable: 'To jest teraz niedostępne. Przejdź dalej w inny sposób.', unavailable_over: 'Nie możesz się teraz zalogować. Spróbuj później.', not_enrolled: 'Nie masz tego ustawionego.', refused: 'Logowanie nie powiodło się.',
    session_over: 'Minęło zbyt dużo czasu. Zacznij od nowa.', later: 'Zbyt wiele prób. Spróbuj później.', offline: 'Brak połączenia. Spróbuj ponownie.', broken: 'Coś poszło nie tak. Spróbuj później.', unsupported: 'Ten formularz nie może pokazać następnego kroku ({name}).',
    missing: 'Wypełnij to pole: {field}', new_password: 'Nowe hasło', new_password_why: 'Wybierz nowe hasło, aby przejść dalej.', weak_password: 'To hasło nie spełnia zasad.', signed_out: 'Ten krok wymaga zalogowania.', tries: 'Próby: {tries}',
    email_otp: 'Kod e-mailem', sms_otp: 'Kod SMS-em', magic_link: 'Link e-mailem', totp: 'Aplikacja uwierzytelniająca', recovery_codes: 'Kod odzyskiwania', captcha: 'Obrazek', proof_of_work: 'Automatyczne sprawdzenie', passkey_kind: 'Klucz dostępu',
  },
  ar: {
    title: 'تسجيل الدخول', username: 'اسم المستخدم', password: 'كلمة المرور', next: 'متابعة', answer: 'الإجابة', code: 'الرمز',
    choose: 'كيف تريد تسجيل الدخول؟', sent: 'تم إرسال رمز إلى {destination}.', sent_anywhere: 'إذا كان بإمكانك استلام الرسائل فقد أُرسل إليك رمز.',
    sent_link: 'افتح الرابط الموجود في الرسالة في هذا المتصفح، أو اكتب الرمز.', sent_link_anywhere: 'افتح الرابط الموجود في الرسالة، أو اكتب الرمز.', again: 'إعادة الإرسال', again_in: 'إعادة الإرسال خلال {seconds} ث', left: 'المحاولات المتبقية: {left}',
    until: 'صالح حتى {time}', reference: 'المرجع: {ref}', restart: 'البدء من جديد', done: 'تم تسجيل دخولك.', working: 'لحظة من فضلك …',
    picture: 'الأحرف في الصورة', passkey: 'استخدام مفتاح مرور', passkey_new: 'إنشاء مفتاح مرور', passkey_failed: 'لم يُستخدم مفتاح المرور. حاول مرة أخرى أو ابدأ من جديد.',
    app: 'الرمز من تطبيق المصادقة', app_new: 'امسح الصورة ضوئيًا بتطبيق المصادقة، ثم اكتب الرمز الذي يعرضه.', secret: 'أو اكتب هذا المفتاح في التطبيق:', qr: 'رمز QR لتطبيق المصادقة',
    recovery: 'رمز الاسترداد', recovery_new: 'احتفظ بهذه الرموز في مكان آمن. كل رمز يسجل دخولك مرة واحدة.', recovery_one: 'اكتب أحد الرموز لتأكيد أنك احتفظت بها',
    work: 'متصفحك ينجز مهمة حسابية صغيرة.', link_elsewhere: 'افتح هذا الرابط في المتصفح الذي بدأت فيه تسجيل الدخول، أو اكتب هناك الرمز الموجود في الرسالة. يعمل الرابط مرة واحدة فقط.', link_here: 'تسجيل الدخول بالرابط',
    link_anywhere: 'يمكنك تسجيل الدخول هنا بهذا الرابط.', link_spent: 'لم يعد هذا الرابط يعمل. يعمل الرابط مرة واحدة فقط ولمدة قصيرة.', other_tab: 'لقد فتحت الرابط في علامة تبويب أخرى. يستمر تسجيل الدخول هناك.', other_tab_done: 'تم تسجيل دخولك في علامة تبويب أخرى. يمكنك إغلاق هذه.',
    wrong: 'لم يكن ذلك صحيحًا.', expired: 'هذا الرمز لم يعد صالحًا. رمز جديد في الطريق إليك.', expired_picture: 'هذه الصورة لم تعد صالحة. إليك صورة جديدة.', too_late: 'استغرق ذلك وقتًا طويلًا. حاول مرة أخرى.', other_browser: 'هذا الرابط يخص عملية تسجيل دخول أخرى. اكتب الرمز الموجود في أحدث رسالة.', try_later: 'لا يمكن إرسال رسالة أخرى الآن. الرمز الأخير ما زال صالحًا.',
    resends_used_up: 'لا يمكن إرسال رسالة أخرى. الرمز الأخير ما زال صالحًا.', unavailable: 'هذا غير متاح الآن. تابع بطريقة أخرى.', unavailable_over: 'لا يمكنك تسجيل الدخول الآن. حاول لاحقًا.', not_enrolled: 'لم تقم بإعداد ذلك.', refused: 'فشل تسجيل الدخول.',
    session_over: 'استغرق الأمر وقتًا طويلًا. ابدأ من جديد.', later: 'محاولات كثيرة جدًا. حاول لاحقًا.', offline: 'لا يوجد اتصال. حاول مرة أخرى.', broken: 'حدث خطأ ما. حاول لاحقًا.', unsupported: 'لا يمكن لهذا النموذج عرض الخطوة التالية ({name}).',
    missing: 'املأ هذا الحقل: {field}', new_password: 'كلمة مرور جديدة', new_password_why: 'اختر كلمة مرور جديدة للمتابعة.', weak_password: 'كلمة المرور هذه لا تطابق القواعد.', signed_out: 'يجب أن تكون مسجلاً الدخول لهذه الخطوة.', tries: 'عدد المحاولات: {tries}',
    email_otp: 'رمز عبر البريد الإلكتروني', sms_otp: 'رمز عبر رسالة نصية', magic_link: 'رابط عبر البريد الإلكتروني', totp: 'تطبيق المصادقة', recovery_codes: 'رمز الاسترداد', captcha: 'صورة', proof_of_work: 'فحص تلقائي', passkey_kind: 'مفتاح مرور',
  },
  ja: {
    title: 'サインイン', username: 'ユーザー名', password: 'パスワード', next: '続ける', answer: '回答', code: 'コード',
    choose: 'サインインの方法を選んでください', sent: '{destination} にコードを送信しました。', sent_anywhere: 'メッセージを受信できる場合は、コードを送信しました。',
    sent_link: 'メッセージのリンクをこのブラウザーで開くか、コードを入力してください。', sent_link_anywhere: 'メッセージのリンクを開くか、コードを入力してください。', again: '再送信', again_in: '{seconds} 秒後に再送信できます', left: '残りの試行回数: {left}',
    until: '{time} まで有効', reference: '参照番号: {ref}', restart: '最初からやり直す', done: 'サインインしました。', working: 'お待ちください …',
    picture: '画像の文字', passkey: 'パスキーを使う', passkey_new: 'パスキーを作成する', passkey_failed: 'パスキーは使用されませんでした。もう一度試すか、最初からやり直してください。',
    app: '認証アプリのコード', app_new: '認証アプリで画像を読み取り、表示されたコードを入力してください。', secret: 'または、このキーをアプリに入力してください:', qr: '認証アプリ用の QR コード',
    recovery: 'リカバリーコード', recovery_new: 'これらのコードを安全な場所に保管してください。各コードで一度だけサインインできます。', recovery_one: '保管したことを示すため、コードを 1 つ入力してください',
    work: 'ブラウザーが小さな計算をしています。', link_elsewhere: 'サインインを始めたブラウザーでこのリンクを開くか、そこでメッセージのコードを入力してください。リンクは一度だけ使えます。', link_here: 'リンクでサインイン',
    link_anywhere: 'このリンクでここにサインインできます。', link_spent: 'このリンクは使えなくなりました。リンクは一度だけ、短い時間だけ使えます。', other_tab: 'リンクは別のタブで開かれました。サインインはそちらで続きます。', other_tab_done: '別のタブでサインインしました。このタブは閉じてかまいません。',
    wrong: '正しくありません。', expired: 'そのコードは無効になりました。新しいコードを送信しています。', expired_picture: 'その画像は無効になりました。新しい画像です。', too_late: '時間がかかりすぎました。もう一度お試しください。', other_browser: 'このリンクは別のサインインのものです。最新のメッセージのコードを入力してください。', try_later: '今は新しいメッセージを送信できません。最後のコードはまだ有効です。',
    resends_used_up: '新しいメッセージは送信できません。最後のコードはまだ有効です。', unavailable: '現在ご利用いただけません。別の方法で続けてください。', unavailable_over: '現在サインインできません。後でもう一度お試しください。', not_enrolled: 'まだ設定されていません。', refused: 'サインインできませんでした。',
    session_over: '時間切れです。最初からやり直してください。', later: '試行回数が多すぎます。後でもう一度お試しください。', offline: '接続がありません。もう一度お試しください。', broken: '問題が発生しました。後でもう一度お試しください。', unsupported: 'このフォームは次の手順を表示できません ({name})。',
    missing: 'この項目を入力してください: {field}', new_password: '新しいパスワード', new_password_why: '続けるには新しいパスワードを決めてください。', weak_password: 'このパスワードは規則に合っていません。', signed_out: 'この手順にはサインインが必要です。', tries: '試行数: {tries}',
    email_otp: 'メールのコード', sms_otp: 'SMS のコード', magic_link: 'メールのリンク', totp: '認証アプリ', recovery_codes: 'リカバリーコード', captcha: '画像', proof_of_work: '自動チェック', passkey_kind: 'パスキー',
  },
}

const RIGHT_TO_LEFT = new Set(['ar', 'he', 'fa', 'ur'])

/** The errors that a challenge may tell (see the reference of parameters). */
const TOLD = ['wrong', 'expired', 'other_browser', 'try_later', 'resends_used_up', 'unavailable', 'not_enrolled']
/** The kinds that have a text. */
const KINDS = ['email_otp', 'sms_otp', 'magic_link', 'totp', 'recovery_codes', 'captcha', 'proof_of_work']

/** Returns what *map* itself has: names come from elsewhere, and `constructor` is one. @template T @param {{[name: string]: T}} map @param {string} name @returns {T | undefined} */
const own = (map, name) => (Object.hasOwn(map, name) ? map[name] : undefined)
/** Returns *text* with what stands in braces put in. @param {string} text @param {Texts} values */
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => own(values, name) ?? whole)
/** Returns *text* as a piece of its own, in its own direction. @param {string} text */
const isolated = (text) => `\u2068${text.replace(/[\u202a-\u202e\u2066-\u2069]/g, '')}\u2069`
/** What may turn around the text beside it: letters that are written from right to left, and characters that say so. */
const TURNING = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u
/** Returns *text* without what writes letters in another order than they stand (UAX #9, embeddings and overrides). @param {string} text */
const inOrder = (text) => text.replace(/[\u202a-\u202e]/g, '')
/** Returns the JSON in *text*; null if it is none. @param {string | undefined} text @returns {any} */
const parsed = (text) => {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return null
  }
}
/** Returns the whole number that *text* says; 0 if that is none. @param {string | undefined} text */
const whole = (text) => (/^\d{1,10}$/.test(text ?? '') ? Number(text) : 0)
/** @param {unknown} value */
const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)

// Bytes ------------------------------------------------------------------------------------------------------------------------------

const utf8 = new TextEncoder()

/** @param {string} text */
const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))
/** @param {Uint8Array} bytes */
const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
/** @param {Uint8Array} bytes */
const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
/** @param {string} text */
const fromBase64 = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (sign) => sign.charCodeAt(0))
/** @param {ArrayBuffer | ArrayBufferView | null | undefined} buffer */
const toBase64url = (buffer) =>
  toBase64(buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : new Uint8Array(/** @type {any} */ (buffer).buffer))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
/** @param {Uint8Array[]} parts @returns {Uint8Array<ArrayBuffer>} */
const joined = (...parts) => {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0)
  return whole
}

// The password, by SRP-6a as Cognito speaks it -----------------------------------------------------------------------------------------

// RFC 3526 section 4: the 3072-bit group.
const N = BigInt(
  '0x' +
    'FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B' +
    '302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6' +
    '49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D' +
    '670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718' +
    '3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D' +
    'B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C' +
    'BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF',
)
const G = 2n

/** @param {bigint} base @param {bigint} exponent */
const power = (base, exponent) => {
  let result = 1n
  for (let square = base % N; exponent; exponent >>= 1n, square = (square * square) % N) if (exponent & 1n) result = (result * square) % N
  return result
}
/** As Java's BigInteger.toByteArray: big-endian, with a leading zero bit. @param {bigint} number */
const padded = (number) => {
  let hex = number.toString(16)
  hex = hex.length % 2 ? `0${hex}` : hex
  return fromHex(/^[89a-f]/.test(hex) ? `00${hex}` : hex)
}
/** @param {Uint8Array[]} parts */
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest('SHA-256', joined(...parts)))
/** @param {Uint8Array} key @param {Uint8Array[]} parts */
const hmac = async (key, ...parts) => {
  const made = await crypto.subtle.importKey('raw', joined(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', made, joined(...parts)))
}
/** @param {Uint8Array} bytes */
const number = (bytes) => BigInt(`0x${toHex(bytes)}`)

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** @param {Date} at */
const timestamp = (at) =>
  `${DAYS[at.getUTCDay()]} ${MONTHS[at.getUTCMonth()]} ${at.getUTCDate()} ${at.toISOString().slice(11, 19)} UTC ${at.getUTCFullYear()}`

/** Returns SRP_A, and what answers PASSWORD_VERIFIER with *password*. @param {string} poolId @param {string} password @param {bigint} secret */
export function startSrp(poolId, password, secret = number(crypto.getRandomValues(new Uint8Array(32)))) {
  const A = power(G, secret)
  const pool = poolId.split('_')[1] ?? ''
  /** @param {Texts} given @param {Date} now @returns {Promise<Texts>} */
  const answer = async (given, now = new Date()) => {
    const [B, salt, user] = [BigInt(`0x${given.SRP_B}`), BigInt(`0x${given.SALT}`), given.USER_ID_FOR_SRP]
    const u = number(await sha256(padded(A), padded(B)))
    // RFC 5054 2.5.4: an honest server sends neither.
    if (B % N === 0n || u === 0n) throw new SignInError('refused', 'The server sent an impossible number')
    const x = number(await sha256(padded(salt), await sha256(utf8.encode(`${pool}${user}:${password}`))))
    const k = number(await sha256(padded(N), padded(G)))
    const shared = power((((B - k * power(G, x)) % N) + N) % N, secret + u * x)
    const key = (await hmac(await hmac(padded(u), padded(shared)), utf8.encode('Caldera Derived Key\x01'))).slice(0, 16)
    const at = timestamp(now)
    const signed = await hmac(key, utf8.encode(pool + user), fromBase64(given.SECRET_BLOCK), utf8.encode(at))
    return {
      USERNAME: user, PASSWORD_CLAIM_SECRET_BLOCK: given.SECRET_BLOCK, PASSWORD_CLAIM_SIGNATURE: toBase64(signed), TIMESTAMP: at,
    }
  }
  return { A: A.toString(16), answer }
}

// Cognito ----------------------------------------------------------------------------------------------------------------------------

/** Why a sign-in did not go on. `code` is one of the keys of `TEXTS`; `ref` is the reference for support, if there is one. */
export class SignInError extends Error {
  /** @param {string} code @param {string} message @param {string} ref @param {boolean} over */
  constructor(code, message = '', ref = '', over = true) {
    super(message)
    this.code = code
    this.ref = ref
    /** Whether the sign-in has ended. If not, the same answer may be sent again. */
    this.over = over
  }
}

/** Returns what *given* says: a challenge, of which each parameter is a text, or an end. What is neither is a fault of the service, and ends nothing. @param {any} given @returns {Reply} */
export function replyOf(given) {
  const { challenge, name, done, now } = Object(given)
  if (isRecord(challenge)) {
    const texts = Object.entries(challenge).filter(([, value]) => typeof value === 'string' || Number.isFinite(value))
    return { challenge: Object.fromEntries(texts.map(([key, value]) => [key, String(value)])), name: String(name ?? 'CUSTOM_CHALLENGE'), now }
  }
  if (challenge || !done) throw new SignInError('broken', 'The reply is neither a challenge nor an end', '', false)
  return { done }
}

/** The handler that posts to Cognito, or to a local pool. @implements {Handler} */
export class CognitoHandler {
  /** @param {string} endpoint @param {string} clientId @param {string} poolId of the user pool, for a password; else empty */
  constructor(endpoint, clientId, poolId = '') {
    this.endpoint = endpoint
    this.clientId = clientId
    this.poolId = poolId
    this.username = ''
    this.session = ''
    this.name = 'CUSTOM_CHALLENGE'
    /** What proves the password; null once it has. @type {ReturnType<typeof startSrp> | null | undefined} */
    this.srp = undefined
  }

  /** @param {string} username @param {string} password @returns {Promise<Reply>} */
  async begin(username, password) {
    /** @type {Texts} */
    const parameters = { USERNAME: username }
    this.username = username
    this.srp = password ? startSrp(this.poolId, password) : undefined
    if (this.srp) Object.assign(parameters, { CHALLENGE_NAME: 'SRP_A', SRP_A: this.srp.A })
    return this.taken(await this.call('InitiateAuth', { AuthFlow: 'CUSTOM_AUTH', ClientId: this.clientId, AuthParameters: parameters }))
  }

  /** @param {string} answer @param {Texts} metadata @param {Texts} attributes that a new password comes with @returns {Promise<Reply>} */
  async respond(answer, metadata, attributes = {}) {
    if (this.name !== 'NEW_PASSWORD_REQUIRED') return this.answered('CUSTOM_CHALLENGE', { ANSWER: answer, USERNAME: this.username }, metadata)
    return this.answered('NEW_PASSWORD_REQUIRED', { ...attributes, NEW_PASSWORD: answer, USERNAME: this.username }, metadata)
  }

  /** Goes on with a sign-in that this browser began. @param {{username: string, session: string}} kept */
  resume(kept) {
    Object.assign(this, kept)
  }

  /** @param {string} name @param {Texts} responses @param {Texts} metadata @returns {Promise<Reply>} */
  async answered(name, responses, metadata = {}) {
    const body = { ChallengeName: name, ChallengeResponses: responses, ClientId: this.clientId, Session: this.session, ClientMetadata: metadata }
    return this.taken(await this.call('RespondToAuthChallenge', body))
  }

  /** @param {any} got what Cognito says, and when @returns {Promise<Reply>} */
  async taken({ AuthenticationResult: done, ChallengeName: name, ChallengeParameters: parameters, Session: session, now }) {
    const reply = replyOf(isRecord(done) ? { done } : { challenge: typeof name === 'string' ? parameters : null, name, now })
    if (!reply.challenge) return reply
    if (typeof session === 'string') this.session = session
    if (name === 'PASSWORD_VERIFIER' && this.srp) {
      const { answer } = this.srp
      this.srp = null
      // The proof says when it was made, and a service may take none of another hour.
      return this.answered(name, await answer(reply.challenge, now ? new Date(now * 1000) : new Date()))
    }
    // A password is proved once in a sign-in. A service that asks again would ask for ever.
    if (name === 'PASSWORD_VERIFIER' && this.srp === null) throw new SignInError('broken', 'The password was asked for twice')
    this.username = reply.challenge.USERNAME ?? this.username
    this.name = name
    return reply
  }

  /** @param {string} operation @param {object} body @returns {Promise<any>} */
  async call(operation, body) {
    let response, text
    try {
      response = await fetch(this.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSCognitoIdentityProviderService.${operation}` },
        body: JSON.stringify(body),
        credentials: 'omit',
        cache: 'no-store',
        signal: AbortSignal.timeout(60_000),
      })
      text = await response.text()
    } catch (error) {
      throw new SignInError('offline', String(error), '', false)
    }
    const reply = Object(parsed(text))
    if (!response.ok) throw failure(String(reply.__type ?? response.headers.get('x-amzn-errortype') ?? ''), String(reply.message ?? ''), response.status)
    // Cognito shows its time to other origins; what stands between may hide it.
    const date = response.headers.get('date')
    return { ...reply, now: date ? Date.parse(date) / 1000 : undefined }
  }
}

/** Returns what an error of Cognito means for the user. @param {string} type @param {string} message @param {number} status of HTTP */
export function failure(type, message, status = 0) {
  const told = /failed with error ([A-Z_]+) ?([B-Z]{8})?/.exec(message)
  if (told) return new SignInError({ TRY_LATER: 'later', UNAVAILABLE: 'unavailable' }[told[1]] ?? 'broken', message, told[2] ?? '')
  if (/^(Network|Timeout)Error$/.test(type)) return new SignInError('offline', message, '', false)
  if (/InvalidPassword|PasswordHistory/.test(type)) return new SignInError('weak_password', message, '', false)
  if (status === 429 || /TooManyRequests|LimitExceeded|TooManyFailedAttempts|Throttl/.test(type)) return new SignInError('later', message, '', false)
  if (/NotAuthorized/.test(type)) return new SignInError(/session/i.test(message) ? 'session_over' : 'refused', message)
  if (/UserNotFound|UserNotConfirmed|PasswordReset/.test(type)) return new SignInError('refused', message)
  // Where a trigger has failed, Cognito has spent the session. Anything else may be tried again: the service says if it is over.
  return new SignInError('broken', `${type || status}: ${message}`, '', /Lambda/.test(type))
}

// Passkeys ---------------------------------------------------------------------------------------------------------------------------

/** @param {any} listed credentials, as JSON has them */
const withBytes = (listed) => listed?.map((/** @type {any} */ each) => ({ ...each, id: fromBase64(each.id) }))

/** Asks the browser for a passkey, or for a new one, and returns the answer. @param {string} text the options @param {boolean} isNew
 * @param {{signal?: AbortSignal, mediation?: CredentialMediationRequirement}} how */
export async function usePasskey(text, isNew, how = {}) {
  const options = JSON.parse(text)
  const publicKey = { ...options, challenge: fromBase64(options.challenge) }
  if (isNew) {
    publicKey.user = { ...options.user, id: fromBase64(options.user.id) }
    publicKey.excludeCredentials = withBytes(options.excludeCredentials)
  } else publicKey.allowCredentials = withBytes(options.allowCredentials)
  const made = isNew ? navigator.credentials.create({ publicKey, signal: how.signal }) : navigator.credentials.get({ publicKey, ...how })
  const credential = /** @type {any} */ (await made)
  const { response } = credential
  const shown = isNew
    ? { attestationObject: toBase64url(response.attestationObject), transports: response.getTransports?.() ?? [] }
    : { authenticatorData: toBase64url(response.authenticatorData), signature: toBase64url(response.signature), userHandle: response.userHandle ? toBase64url(response.userHandle) : null }
  return JSON.stringify({
    id: credential.id, rawId: toBase64url(credential.rawId), type: credential.type, authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(), response: { clientDataJSON: toBase64url(response.clientDataJSON), ...shown },
  })
}

// Proof of work (ALTCHA v2) ----------------------------------------------------------------------------------------------------------

/** Solves *text*, a challenge of ALTCHA v2, and returns the answer. Keys are derived on threads of the browser's own, so the page stays alive.
 * @param {string} text @param {AbortSignal} signal @param {(tries: number) => void} told */
export async function solveWork(text, signal, told = () => {}) {
  const challenge = JSON.parse(text)
  const { algorithm, cost, keyLength, keyPrefix, nonce, salt, counterMode } = challenge.parameters
  const [name, hash] = String(algorithm).split('/')
  if (name !== 'PBKDF2' || (counterMode && counterMode !== 'uint32')) throw new SignInError('unsupported', algorithm)
  const prefix = String(keyPrefix).toLowerCase()
  const [nonceBytes, saltBytes] = [fromHex(nonce), joined(fromHex(salt))]
  /** @param {number} counter */
  const derived = async (counter) => {
    const password = joined(nonceBytes, new Uint8Array(4))
    new DataView(password.buffer).setUint32(nonceBytes.length, counter)
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
    return toHex(new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash, salt: saltBytes, iterations: cost }, key, keyLength * 8)))
  }
  const atOnce = Math.min(8, globalThis.navigator?.hardwareConcurrency || 2)
  for (let first = 0; first < 2 ** 32; first += atOnce) {
    signal.throwIfAborted()
    told(first)
    const keys = await Promise.all(Array.from({ length: atOnce }, (_, place) => derived(first + place)))
    const found = keys.findIndex((key) => key.startsWith(prefix))
    if (found >= 0) return toBase64(utf8.encode(JSON.stringify({ challenge, solution: { counter: first + found, derivedKey: keys[found] } })))
  }
  throw new SignInError('broken', 'no solution')
}

// QR codes (ISO/IEC 18004), bytes, error correction M ----------------------------------------------------------------------------------

/** For each version: the error correction bytes of a block, the blocks, and the data bytes in all. */
const VERSIONS = [
  [10, 1, 16], [16, 1, 28], [26, 1, 44], [18, 2, 64], [24, 2, 86], [16, 4, 108], [18, 4, 124], [22, 4, 154], [22, 5, 182], [26, 5, 216],
  [30, 5, 254], [22, 8, 290], [22, 9, 334], [24, 9, 365], [24, 10, 415], [28, 10, 453], [28, 11, 507], [26, 13, 563], [26, 14, 627], [26, 16, 669],
]
/** @param {number} x @param {number} y in GF(256), by the polynomial of the standard */
const times = (x, y) => {
  let product = 0
  for (; y; y >>= 1, x = (x << 1) ^ (x & 0x80 ? 0x11d : 0)) if (y & 1) product ^= x
  return product & 0xff
}

/** Returns the modules of the QR code for *text*, row by row: true is dark. @param {string} text @returns {boolean[][]} */
export function qrModules(text) {
  const data = utf8.encode(text)
  const version = 1 + VERSIONS.findIndex(([, , room], place) => data.length + (place < 9 ? 2 : 3) <= room)
  if (!version) throw new RangeError('the text is too long for a QR code')
  const size = 17 + 4 * version
  /** @type {(boolean | null)[][]} */
  const modules = Array.from({ length: size }, () => Array(size).fill(null))
  drawPatterns(modules, version)
  const free = modules.map((row) => row.map((module) => module === null))
  const bits = codewords(data, version).flatMap((byte) => Array.from({ length: 8 }, (_, bit) => !!((byte >> (7 - bit)) & 1)))
  let next = 0
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right = 5 // the timing pattern
    for (let step = 0; step < size; step++)
      for (const x of [right, right - 1]) {
        const y = up ? size - 1 - step : step
        if (free[y][x]) modules[y][x] = bits[next++] ?? false
      }
  }
  const made = MASKS.map((mask, which) => {
    const drawn = modules.map((row, y) => row.map((module, x) => (free[y][x] ? !!module !== mask(x, y) : !!module)))
    drawFormat(drawn, which)
    return drawn
  })
  return made.reduce((best, each) => (penalty(each) < penalty(best) ? each : best))
}

/** @type {((x: number, y: number) => boolean)[]} */
const MASKS = [
  (x, y) => (x + y) % 2 === 0, (x, y) => y % 2 === 0, (x) => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0, (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

/** @param {Uint8Array} data @param {number} version @returns {number[]} data and error correction, interleaved */
function codewords(data, version) {
  const [checks, blocks, room] = VERSIONS[version - 1]
  let bits = '0100' + data.length.toString(2).padStart(version < 10 ? 8 : 16, '0')
  for (const byte of data) bits += byte.toString(2).padStart(8, '0')
  bits += '0000'.slice(0, room * 8 - bits.length)
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0')
  const bytes = (bits.match(/.{8}/g) ?? []).map((octet) => parseInt(octet, 2))
  for (let pad = 0xec; bytes.length < room; pad ^= 0xfd) bytes.push(pad)
  const [short, long] = [Math.floor(room / blocks), room % blocks]
  const parts = Array.from({ length: blocks }, (_, block) => {
    const from = block * short + Math.max(0, block - (blocks - long))
    return bytes.slice(from, from + short + (block >= blocks - long ? 1 : 0))
  })
  const corrections = parts.map((part) => remainder(part, checks))
  /** @param {number[][]} lists */
  const inTurn = (lists) => Array.from({ length: Math.max(...lists.map((list) => list.length)) }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat()
  return [...inTurn(parts), ...inTurn(corrections)]
}

/** @param {number[]} part @param {number} checks how many @returns {number[]} the Reed-Solomon error correction of *part* */
function remainder(part, checks) {
  let divisor = [1]
  for (let root = 1, n = 0; n < checks; n++, root = times(root, 2))
    divisor = [...divisor, 0].map((each, at) => each ^ times(divisor[at - 1] ?? 0, root))
  const rest = [...part, ...Array(checks).fill(0)]
  for (let at = 0; at < part.length; at++) {
    const lead = rest[at]
    divisor.forEach((each, place) => (rest[at + place] ^= times(each, lead)))
  }
  return rest.slice(part.length)
}

/** Draws what is the same for every text. @param {(boolean | null)[][]} modules @param {number} version */
function drawPatterns(modules, version) {
  const size = modules.length
  for (const [left, top] of [[-1, -1], [size - 8, -1], [-1, size - 8]])
    for (let y = 0; y < 9; y++)
      for (let x = 0; x < 9; x++) {
        const ring = Math.max(Math.abs(x - 4), Math.abs(y - 4))
        if (modules[top + y]?.[left + x] !== undefined) modules[top + y][left + x] = ring !== 2 && ring !== 4
      }
  const between = Math.floor(version / 7) + 2
  const step = version === 1 ? 0 : Math.ceil((size - 13) / (between - 1) / 2) * 2
  const centres = version === 1 ? [] : [6, ...Array.from({ length: between - 1 }, (_, at) => size - 7 - at * step)]
  for (const cy of centres)
    for (const cx of centres)
      if (modules[cy][cx] === null)
        for (let y = -2; y <= 2; y++) for (let x = -2; x <= 2; x++) modules[cy + y][cx + x] = Math.max(Math.abs(x), Math.abs(y)) !== 1
  for (let at = 8; at < size - 8; at++) modules[6][at] = modules[at][6] = at % 2 === 0
  for (let at = 0; at < 9; at++) modules[8][at] ??= modules[at][8] ??= false
  for (let at = 0; at < 8; at++) modules[8][size - 1 - at] = modules[size - 1 - at][8] = false
  modules[size - 8][8] = true
  if (version < 7) return
  let check = version
  for (let n = 0; n < 12; n++) check = (check << 1) ^ (check >> 11 ? 0x1f25 : 0)
  for (let bit = 0; bit < 18; bit++) {
    const dark = !!((((version << 12) | check) >> bit) & 1)
    const [a, b] = [Math.floor(bit / 3), size - 11 + (bit % 3)]
    modules[a][b] = modules[b][a] = dark
  }
}

/** Writes which mask was taken. @param {boolean[][]} modules @param {number} mask */
function drawFormat(modules, mask) {
  const size = modules.length
  let check = mask // error correction M is 00
  for (let n = 0; n < 10; n++) check = (check << 1) ^ (check >> 9 ? 0x537 : 0)
  const format = ((mask << 10) | check) ^ 0x5412
  for (let bit = 0; bit < 15; bit++) {
    const dark = !!((format >> bit) & 1)
    const near = bit < 6 ? bit : bit < 8 ? bit + 1 : 14 - bit + (bit === 8 ? 1 : 0)
    if (bit < 8) modules[near][8] = dark
    else modules[8][near] = dark
    if (bit < 8) modules[8][size - 1 - bit] = dark
    else modules[size - 15 + bit][8] = dark
  }
}

/** Says how hard *modules* are to read. @param {boolean[][]} modules */
function penalty(modules) {
  const turned = modules.map((row, at) => row.map((_, place) => modules[place][at]))
  let sum = 0
  for (const row of [...modules, ...turned].map((each) => each.map(Number).join(''))) {
    for (const run of row.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2
    sum += 40 * ((row.match(/(?=00001011101)/g) ?? []).length + (row.match(/(?=10111010000)/g) ?? []).length)
  }
  for (let y = 1; y < modules.length; y++)
    for (let x = 1; x < modules.length; x++)
      if (modules[y][x] === modules[y - 1][x] && modules[y][x] === modules[y][x - 1] && modules[y][x] === modules[y - 1][x - 1]) sum += 3
  const dark = modules.flat().filter(Boolean).length / modules.length ** 2
  return sum + 10 * Math.floor(Math.abs(dark * 100 - 50) / 5)
}

// The form ---------------------------------------------------------------------------------------------------------------------------

const STYLE = `
:where(watchword-sign-in) { display: block; box-sizing: border-box; max-width: 24rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color-scheme: light dark;
  --ww-text: #1a1a1a; --ww-quiet: #555; --ww-back: #fff; --ww-edge: #767676; --ww-accent: #0b57d0; --ww-on-accent: #fff; --ww-wrong: #b3001b;
  color: var(--ww-text); background: var(--ww-back); overflow-wrap: anywhere }
@media (prefers-color-scheme: dark) { :where(watchword-sign-in) { --ww-text: #eee; --ww-quiet: #b5b5b5; --ww-back: #1b1b1f; --ww-edge: #949494; --ww-accent: #a8c7fa; --ww-on-accent: #062e6f; --ww-wrong: #ffb4ab } }
:where(watchword-sign-in) .ww-title { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .75rem }
:where(watchword-sign-in) form { display: grid; gap: .75rem; margin: 0 }
:where(watchword-sign-in) :is(p, ol) { margin: 0 }
:where(watchword-sign-in) label { display: block; font-weight: 600; margin-bottom: .25rem }
:where(watchword-sign-in) input { box-sizing: border-box; width: 100%; min-height: 2.75rem; padding: .5rem .75rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--ww-edge); border-radius: .375rem }
:where(watchword-sign-in) button { min-height: 2.75rem; padding: .5rem 1rem; font: inherit; font-weight: 600; border-radius: .375rem; border: 1px solid var(--ww-accent); color: var(--ww-accent); background: transparent; cursor: pointer }
:where(watchword-sign-in) button.ww-main { color: var(--ww-on-accent); background: var(--ww-accent) }
:where(watchword-sign-in) button:disabled { color: var(--ww-quiet); border-color: var(--ww-edge); background: transparent; cursor: default }
:where(watchword-sign-in) :is(input, button, .ww-title):focus-visible { outline: 3px solid var(--ww-accent); outline-offset: 2px }
:where(watchword-sign-in) .ww-title:focus:not(:focus-visible) { outline: none }
:where(watchword-sign-in) .ww-wrong { color: var(--ww-wrong); font-weight: 600 }
:where(watchword-sign-in) .ww-quiet { color: var(--ww-quiet); font-size: .9rem }
:where(watchword-sign-in) .ww-row { display: flex; flex-wrap: wrap; gap: .5rem }
:where(watchword-sign-in) .ww-stack { display: grid; gap: .5rem }
:where(watchword-sign-in) img { max-width: 100%; height: auto; background: #fff; border: 1px solid var(--ww-edge) }
:where(watchword-sign-in) svg { width: 12rem; max-width: 100%; background: #fff; display: block }
:where(watchword-sign-in) code { font-family: ui-monospace, monospace }
@media (prefers-reduced-motion: no-preference) { :where(watchword-sign-in) .ww-busy { animation: ww-breathe 1.2s ease-in-out infinite alternate } @keyframes ww-breathe { to { opacity: .4 } } }
`

const KEPT = 'watchword-sign-in:'
const TICKET = /^#([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/
let numbered = 0

/** Returns the name of the user whom *ticket* is for, whether it may be opened anywhere, and whether it is over by the browser's clock; no name if it is none. @param {string} ticket */
const factsIn = (ticket) => {
  try {
    const { userName, opens, exp } = JSON.parse(new TextDecoder().decode(fromBase64(ticket.split('.')[0])))
    return { username: String(userName ?? ''), anywhere: opens === 'anywhere', over: Number.isFinite(exp) && exp <= Date.now() / 1000 }
  } catch {
    return { username: '', anywhere: false, over: false }
  }
}

/** Returns the client metadata by which tokens can tell what was proved. @param {string | undefined} signin @returns {Texts} */
const naming = (signin) => (signin ? { watchword_signin: signin } : {})

/** What a browser keeps, if it keeps anything: some refuse. */
const storage = {
  /** @param {string} place @returns {any} */
  read: (place) => {
    try {
      return JSON.parse(localStorage.getItem(place) ?? 'null')
    } catch {
      return null
    }
  },
  /** @param {string} place @param {object | null} value */
  write: (place, value) => {
    try {
      value ? localStorage.setItem(place, JSON.stringify(value)) : localStorage.removeItem(place)
    } catch {
      // Then a link works in the tab in which the sign-in began.
    }
  },
}

/** By this the tabs of a browser tell each other how a sign-in goes on. Some browsers refuse. */
const otherTabs = () => {
  try {
    return new BroadcastChannel('watchword-sign-in')
  } catch {
    return null
  }
}

const TYPES = ['text', 'password', 'email', 'tel', 'number', 'url']
const MODES = ['none', 'text', 'decimal', 'numeric', 'tel', 'search', 'email', 'url']
const MOST_FIELDS = 16
const LONGEST_ANSWER = 16384
/** No step lasts longer, and none waits longer before it sends again: seconds. */
const LONGEST_STEP = 600

/** Returns the fields that *text* asks for, the `input` of a kind; none if it is not what it should be. @param {string | undefined} text @returns {Field[]} */
export function hintsIn(text) {
  const hints = parsed(text)
  /** @type {any[]} */
  const listed = Array.isArray(hints) ? hints : [hints]
  const fits = listed.every((each) => /^\w[\w.-]{0,63}$/.test(typeof each?.name === 'string' ? each.name : '') && typeof each.label === 'string' && each.label.trim())
  if (!fits || listed.length > MOST_FIELDS || new Set(listed.map((each) => each.name)).size < listed.length) return []
  return listed.map(({ name, label, type, inputmode, autocomplete, maxlength, help }) => ({
    name,
    label: label.slice(0, 200),
    type: TYPES.includes(type) ? type : 'text',
    inputmode: MODES.includes(inputmode) ? inputmode : undefined,
    autocomplete: typeof autocomplete === 'string' && /^[a-z-]+( [a-z-]+)*$/.test(autocomplete) ? autocomplete : 'off',
    maxlength: Number.isInteger(maxlength) && maxlength > 0 && maxlength <= LONGEST_ANSWER ? maxlength : undefined,
    help: typeof help === 'string' ? help.slice(0, 500) : undefined,
  }))
}

/** Returns the options of the choice *challenge* that may be answered at once, by name. @param {Texts} challenge @returns {Map<string, Texts>} */
function offersIn(challenge) {
  const offers = new Map()
  for (const name of (challenge.offers ?? '').split(','))
    try {
      const offer = JSON.parse(own(challenge, `offer_${name}`) ?? '')
      if (offer && typeof offer === 'object') offers.set(name, offer)
    } catch {
      // It can be chosen all the same.
    }
  return offers
}

/** Says whether a message goes out for *challenge*. @param {Texts} challenge */
const isSent = (challenge) => 'resend_after' in challenge || 'destination' in challenge

/** Returns the service's time when *challenge* came, at *here* by the browser's clock: *now*, if the service said so. Else it is the nearest that fits, for
 * the step is not over, and neither it nor its wait takes longer than steps do. @param {Texts} challenge @param {number | undefined} now @param {number} here */
function servedAt({ expires_at, resend_after }, now, here) {
  if (Number.isFinite(now)) return Number(now)
  const [ends, again] = [whole(expires_at), whole(resend_after)]
  return Math.min(Math.max(here, Math.max(ends, again) - LONGEST_STEP), ends || Infinity)
}

/** Makes an element. A listener is a property that begins with `on`; other properties are attributes. @param {string} tag @param {any} properties @param {any[]} inside */
export function element(tag, properties = {}, ...inside) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : inOrder(String(value)))
  }
  made.append(...inside.filter((each) => each !== null && each !== undefined && each !== '').map((each) => (typeof each === 'string' ? inOrder(each) : each)))
  return made
}

/** The element; see the top of this file. */
export class WatchwordSignIn extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ['locale']

  constructor() {
    super()
    // A page may have set these before this file was there.
    const given = /** @type {any} */ ({ ...this })
    /** What the app gives to take each step itself. @type {Handler | null} */
    this.handler = given.handler ?? null
    /** Solvers by the name of a key derivation that the browser lacks, such as `SCRYPT`. @type {{[name: string]: (text: string, signal: AbortSignal, told: (tries: number) => void) => Promise<string>}} */
    this.solvers = given.solvers ?? {}
    /** The access token of whoever is signed in, for a step that wants one with its answer. @type {string} */
    this.accessToken = given.accessToken ?? ''
    /** @type {Handler | null} */
    this.driver = null
    /** @type {Texts | null} the public parameters of the challenge at hand */
    this.challenge = null
    /** The challenge's name. */
    this.challengeName = 'CUSTOM_CHALLENGE'
    this.idPrefix = `watchword-${++numbered}`
    this.stopped = new AbortController()
    this.listening = new AbortController()
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.ticking = undefined
    this.username = ''
    /** Draws once more what is shown. @type {(() => unknown) | null} */
    this.shown = null
    /** Offers once more a step that failed with no challenge at hand, and may be taken again. @type {((error: SignInError) => unknown) | null} */
    this.retried = null
    /** Whether a step is being taken. There is one at a time. */
    this.pending = false
    /** Counts the steps: a reply to an earlier one comes too late. */
    this.turn = 0
    /** The name of the sign-in at hand, by which its other tab knows it. */
    this.signin = ''
    /** Whether the last answer was a link's. */
    this.byLink = false
    /** When the challenge at hand came, by the browser's clock and by the service's, which may be far apart: epoch seconds. */
    this.came = this.served = NaN
    /** What the challenge at hand says of its end, and that end by the browser's clock; 0 if there is no telling. */
    this.expiresAt = ''
    this.ends = 0
    /** @type {BroadcastChannel | null} */
    this.tabs = null
  }

  connectedCallback() {
    const root = /** @type {Document | ShadowRoot} */ (this.getRootNode())
    if (!root.adoptedStyleSheets.some((sheet) => /** @type {any} */ (sheet).watchword)) {
      const sheet = Object.assign(new CSSStyleSheet(), { watchword: true })
      sheet.replaceSync(STYLE)
      // Such a sheet comes after those of the page. Its selectors count for little (`:where`), so that the page's own win.
      root.adoptedStyleSheets = [sheet, ...root.adoptedStyleSheets]
    }
    this.listening = new AbortController()
    const { signal } = this.listening
    globalThis.addEventListener('hashchange', () => this.followed(), { signal })
    this.tabs = otherTabs()
    this.tabs?.addEventListener('message', ({ data }) => this.overtaken(Object(data)), { signal })
    // An app sets `handler` after the element is there.
    queueMicrotask(() => this.isConnected && !this.pending && (this.shown ?? this.open).call(this))
  }

  disconnectedCallback() {
    this.listening.abort()
    this.tabs?.close()
    this.tabs = null
    // Whoever only moves the element puts it back at once.
    queueMicrotask(() => {
      if (this.isConnected) return
      this.cease()
      this.challenge = this.shown = this.driver = this.retried = null
      this.replaceChildren()
    })
  }

  attributeChangedCallback() {
    if (!this.isConnected || this.pending || !this.shown) return
    const typed = Array.from(this.querySelectorAll('input'), (input) => input.value)
    this.shown()
    this.querySelectorAll('input').forEach((input, place) => (input.value ||= typed[place] ?? ''))
  }

  /** The language of the texts: the nearest that there is. */
  get locale() {
    const wanted = [this.getAttribute('locale'), /** @type {HTMLElement | null} */ (this.closest('[lang]:not(watchword-sign-in)'))?.lang, ...navigator.languages]
    const tags = wanted.flatMap((each) => (each ? [each.toLowerCase(), each.toLowerCase().split('-')[0]] : []))
    return tags.find((tag) => own(TEXTS, tag)) ?? 'en'
  }

  /** @param {string} key @param {Texts} values */
  text(key, values = {}) {
    const turns = RIGHT_TO_LEFT.has(this.locale)
    const put = Object.entries(values).map(([name, value]) => [name, turns || TURNING.test(value) ? isolated(value) : value])
    return filled(own(TEXTS[this.locale], key) ?? own(TEXTS.en, key) ?? key, Object.fromEntries(put))
  }

  /** Takes the ticket of a link out of the address: nobody finds it in the history, and no page that is left to gets it. */
  takeTicket() {
    const ticket = this.handler ? undefined : TICKET.exec(location.hash)?.[1]
    if (ticket) history.replaceState(history.state, '', location.pathname + location.search)
    return ticket
  }

  /** Begins, or goes on by the link that led here. */
  open() {
    const ticket = this.takeTicket()
    if (!ticket) return this.start()
    const kept = this.kept()
    // Two users of one browser: the sign-in of the other one waits on.
    if (!kept || kept.username !== factsIn(ticket).username) return this.showLink(ticket)
    const goOn = () => {
      const driver = this.cognito()
      driver.resume(kept)
      this.driver = driver
      this.username = kept.username
      this.signin = kept.signin
      this.byLink = true
      return this.go(() => driver.respond(ticket, naming(kept.signin)))
    }
    this.retried = (error) => this.drawLink(kept.username, 'link_anywhere', 'link_here', goOn, error)
    return goOn()
  }

  /** Says that the sign-in at hand goes on in another tab, in which its link was opened. @param {{signin?: string, done?: boolean}} told */
  overtaken({ signin, done }) {
    if (!signin || signin !== this.signin || this.pending) return
    this.stop()
    this.challenge = this.driver = this.retried = null
    this.shown = () => {
      const again = done ? null : this.main(this.text('restart'))
      this.draw(this.text(done ? 'done' : 'title'), null, () => this.start(), [element('p', {}, this.text(done ? 'other_tab_done' : 'other_tab')), again])
    }
    this.shown()
  }

  /** Goes on by a link that was opened in the tab that waits for it. */
  followed() {
    const ticket = this.takeTicket()
    if (!ticket || this.pending) return
    if (this.challenge?.link) return this.respond(ticket)
    return this.showLink(ticket)
  }

  /** Where this browser keeps a sign-in that waits for its link. */
  get place() {
    return KEPT + this.getAttribute('client-id')
  }

  /** @returns {{username: string, session: string, signin: string} | null} the sign-in that waits for its link in this browser */
  kept() {
    const kept = storage.read(this.place)
    const left = Number(kept?.until) - Date.now() / 1000
    if (typeof kept?.username === 'string' && typeof kept.session === 'string' && left > 0 && left < 2 * LONGEST_STEP) return { username: kept.username, session: kept.session, signin: String(kept.signin ?? '') }
    storage.write(this.place, null)
    return null
  }

  cognito() {
    const endpoint = this.getAttribute('endpoint') ?? '/'
    const isLocal = /^(127\.|localhost$|\[::1\]$)/.test(new URL(endpoint, location.href).hostname)
    const poolId = this.getAttribute('user-pool-id') ?? (isLocal ? 'us-east-1_Abc123' : '')
    return new CognitoHandler(endpoint, this.getAttribute('client-id') ?? '', poolId)
  }

  /** Asks who signs in. @param {SignInError | null} error */
  start(error = null) {
    this.cease()
    this.challenge = null
    this.signin = ''
    this.retried = null
    this.shown = () => this.start(error)
    const withPassword = this.getAttribute('flow') === 'custom-srp'
    const username = this.field({ name: 'username', label: this.text('username'), autocomplete: 'username', maxlength: 128 }, this.username || this.getAttribute('username') || '')
    const password = withPassword ? this.field({ name: 'password', label: this.text('password'), type: 'password', autocomplete: 'current-password', maxlength: 256 }) : null
    const submit = () => {
      const typed = password?.input.value ?? ''
      if (!username.input.value.trim()) return this.point(username.input, 'missing')
      if (password && !typed) return this.point(password.input, 'missing')
      return this.begin(username.input.value.trim(), typed)
    }
    this.draw(this.text('title'), error, submit, [username.row, password?.row, this.main(this.text('next'))])
  }

  /** @param {string} username @param {string} password */
  begin(username, password) {
    return this.go(() => {
      this.challenge = null
      this.username = username
      this.driver = this.handler ?? this.cognito()
      return this.driver.begin(username, password)
    })
  }

  /** Says where the link that led here is to be opened, or that it is over. If it may be opened anywhere, it signs in after a click, never on load: the service's clock decides. @param {string} ticket @param {SignInError | null} error */
  showLink(ticket, error = null) {
    const { username, anywhere, over } = factsIn(ticket)
    if (!username) return this.start()
    this.cease()
    this.challenge = null
    this.signin = ''
    this.retried = (failed) => this.showLink(ticket, failed)
    const signIn = () =>
      this.go(async () => {
        this.username = username
        const driver = (this.driver = this.cognito())
        const { challenge } = await driver.begin(username, '')
        const name = [...offersIn(challenge ?? {})].find(([, offer]) => offer.link === 'anywhere')?.[0]
        if (!name) throw new SignInError('other_browser')
        const reply = await driver.respond(ticket, { watchword_action: 'answer', watchword_choice: name, ...naming(challenge?.signin) })
        // The step is asked for now, but no message was sent for it.
        if (reply.challenge?.link && reply.challenge.error) throw new SignInError('link_spent')
        return reply
      })
    if (anywhere) this.drawLink(username, 'link_anywhere', 'link_here', signIn, error)
    else this.drawLink(username, over ? 'link_spent' : 'link_elsewhere', 'restart', () => this.start(), error)
  }

  /** @param {string} username @param {string} told @param {string} button @param {() => unknown} submit @param {SignInError | null} error */
  drawLink(username, told, button, submit, error) {
    this.shown = () => this.drawLink(username, told, button, submit, error)
    // Whoever was sent a stranger's link sees whose sign-in it would be.
    const whose = element('p', {}, `${this.text('username')}: `, element('bdi', {}, element('strong', {}, username)))
    this.draw(this.text('title'), error, submit, [whose, element('p', {}, this.text(told)), this.main(this.text(button))])
  }

  /** Takes one step, and shows what comes of it, unless the user has begun anew meanwhile. @param {() => Promise<Reply>} step */
  async go(step) {
    if (this.pending) return
    const turn = ++this.turn
    this.busy()
    try {
      const reply = replyOf(await step())
      if (turn !== this.turn) return
      this.pending = false
      if (reply.challenge) this.asked(reply.challenge, reply.name ?? '', reply.now)
      else this.finished(reply.done)
    } catch (error) {
      if (turn !== this.turn) return
      this.pending = false
      // A library of the app fails as Cognito does, with the error's name and text.
      const { name, message } = /** @type {Error} */ (Object(error))
      this.failed(error instanceof SignInError ? error : failure(String(name), String(message)))
    }
  }

  /** @param {string} answer @param {Texts} metadata @param {Texts} [attributes] */
  respond(answer, metadata = {}, attributes) {
    this.byLink = TICKET.test(`#${answer}`)
    const signin = this.challenge?.signin
    return this.go(() => /** @type {Handler} */ (this.driver).respond(answer, { ...metadata, ...naming(signin) }, attributes))
  }

  /** Sets the clocks by *challenge*, which came at *now*. @param {Texts} challenge @param {number | undefined} now the service's time */
  setClocks(challenge, now) {
    const { expires_at: expiresAt = '' } = challenge
    const came = Date.now() / 1000
    const served = servedAt(challenge, now, came)
    // The service says whole seconds. So the later of two times that agree is the nearer one, and one end is shown as one time.
    const passed = this.served + came - this.came
    const agrees = Math.abs(served - passed) < 2
    this.came = came
    this.served = agrees ? Math.max(served, passed) : served
    if (agrees && expiresAt === this.expiresAt) return
    const left = whole(expiresAt) - this.served
    this.expiresAt = expiresAt
    this.ends = left > 0 && left < 2 * LONGEST_STEP ? came + left : 0
  }

  /** @param {Texts} challenge @param {string} name @param {number | undefined} now the service's time */
  asked(challenge, name, now) {
    this.challenge = challenge
    this.retried = null
    this.setClocks(challenge, now)
    this.challengeName = name
    this.signin = challenge.signin ?? ''
    this.tabs?.postMessage({ signin: this.signin, done: false })
    const driver = this.driver
    if (challenge.link && driver instanceof CognitoHandler)
      storage.write(this.place, { username: driver.username, session: driver.session, signin: challenge.signin, until: this.ends || this.came + LONGEST_STEP })
    else this.forget()
    if (!this.dispatchEvent(new CustomEvent('watchword:challenge', { bubbles: true, cancelable: true, detail: { name, parameters: challenge } }))) return
    if (name !== 'CUSTOM_CHALLENGE' && name !== 'NEW_PASSWORD_REQUIRED') return this.failed(new SignInError('unsupported', name))
    this.show(challenge)
  }

  /** @param {unknown} done */
  finished(done) {
    this.tabs?.postMessage({ signin: this.signin, done: true })
    this.cease()
    this.challenge = this.driver = this.retried = null
    this.signin = ''
    this.forget()
    this.shown = () => this.draw(this.text('done'), null, () => {}, [])
    this.shown()
    this.dispatchEvent(new CustomEvent('watchword:signed-in', { bubbles: true, detail: done }))
  }

  /** @param {SignInError} error */
  failed(error) {
    const detail = { code: error.code, message: error.message, ref: error.ref || this.challenge?.ref || '' }
    if (error.over) this.forget()
    if (this.challenge && !error.over) this.show(this.challenge, error)
    else if (this.retried && !error.over) this.retried(error)
    else this.start(error)
    this.dispatchEvent(new CustomEvent('watchword:error', { bubbles: true, detail }))
  }

  forget() {
    if (!this.handler) storage.write(this.place, null)
  }

  /** Shows *challenge*, by its public parameters alone. @param {Texts} challenge @param {SignInError | null} error */
  show(challenge, error = null) {
    this.stop()
    this.challenge = challenge
    this.shown = () => this.show(challenge, error)
    const { kind, options, image } = challenge
    if (this.challengeName === 'NEW_PASSWORD_REQUIRED') return this.showNewPassword(challenge, error)
    if (kind === 'select') return this.showChoice(challenge, error)
    if (challenge.attempts_left === '0' && challenge.error) return this.showUnavailable(challenge)
    if (options) return this.showPasskey(challenge, error)
    if (challenge.challenge && kind === 'proof_of_work') return this.showWork(challenge, error)
    const fields = this.fieldsOf(challenge).map((each) => this.field(each))
    const submit = () => {
      const missing = fields.find((each) => !each.input.value.trim())
      if (missing) return this.point(missing.input, 'missing')
      const values = Object.fromEntries(fields.map((each) => [each.input.name, each.input.value]))
      const answer = fields.length === 1 ? fields[0].input.value : JSON.stringify(values)
      if (!challenge.with_token) return this.respond(answer)
      return this.accessToken ? this.respond(JSON.stringify({ jwt: this.accessToken, secretCode: answer })) : this.point(fields[0].input, 'signed_out')
    }
    const parts = [...this.explained(challenge), ...(image ? [this.picture(challenge)] : []), ...fields.map((each) => each.row), this.main(this.text('next')), ...this.beside(challenge)]
    this.draw(this.titleOf(challenge), error, submit, parts)
  }

  /** @param {Texts} challenge @returns {Field[]} what to ask for: the kind's own hints, else one field */
  fieldsOf(challenge) {
    const hints = hintsIn(challenge.input)
    if (hints.length) return hints
    const one = { name: 'answer', label: this.text('code'), autocomplete: 'one-time-code', maxlength: LONGEST_ANSWER }
    if (challenge.image) return [{ ...one, label: this.text('picture'), autocomplete: 'off' }]
    if (challenge.codes) return [{ ...one, label: this.text('recovery_one'), autocomplete: 'off' }]
    if ('codes_left' in challenge || challenge.kind === 'recovery_codes') return [{ ...one, label: this.text('recovery'), autocomplete: 'off' }]
    if (challenge.kind === 'totp' || challenge.otpauth_uri) return [{ ...one, label: this.text('app'), inputmode: 'numeric' }]
    return [isSent(challenge) ? one : { ...one, label: this.text('answer'), autocomplete: 'off' }]
  }

  /** @param {Texts} challenge @returns {HTMLElement[]} what the user is told before the fields */
  explained(challenge) {
    /** @type {HTMLElement[]} */
    const told = []
    /** @param {string} text */
    const line = (text) => told.push(element('p', {}, text))
    if (challenge.destination) line(this.text('sent', { destination: challenge.destination }))
    else if (isSent(challenge)) line(this.text('sent_anywhere'))
    if (challenge.link) line(this.text(challenge.link === 'anywhere' ? 'sent_link_anywhere' : 'sent_link'))
    if (challenge.otpauth_uri) {
      line(this.text('app_new'))
      told.push(...this.qrCode(challenge.otpauth_uri))
      if (challenge.secret) told.push(element('p', {}, `${this.text('secret')} `, element('code', { dir: 'ltr' }, challenge.secret)))
    }
    if (challenge.codes) {
      line(this.text('recovery_new'))
      told.push(element('ol', {}, ...challenge.codes.split(' ').map((code) => element('li', {}, element('code', { dir: 'ltr' }, code)))))
    }
    if (challenge.question) told.push(element('p', { dir: 'auto' }, challenge.question))
    return told
  }

  /** @param {Texts} challenge @returns {HTMLElement} */
  picture(challenge) {
    const { image, media_type: type, alt } = challenge
    const source = image.startsWith('data:image/') ? image : `data:${/^image\/(webp|png|jpeg|gif)$/.test(type) ? type : 'image/png'};base64,${image}`
    return element('img', { src: source, alt: alt ?? this.text('picture') })
  }

  /** @param {string} uri @returns {any[]} */
  qrCode(uri) {
    let modules
    try {
      modules = qrModules(uri)
    } catch {
      return [] // it is too long: there is the key
    }
    const name = 'http://www.w3.org/2000/svg'
    const svg = document.createElementNS(name, 'svg')
    const path = document.createElementNS(name, 'path')
    path.setAttribute('d', modules.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + 4} ${y + 4}h1v1h-1z` : ''))).join(''))
    svg.setAttribute('viewBox', `0 0 ${modules.length + 8} ${modules.length + 8}`)
    svg.setAttribute('role', 'img')
    svg.setAttribute('aria-label', this.text('qr'))
    svg.setAttribute('shape-rendering', 'crispEdges')
    svg.append(path)
    return [svg]
  }

  /** @param {Texts} challenge @param {SignInError | null} error */
  showChoice(challenge, error) {
    const names = (challenge.choices ?? '').split(',').filter(Boolean)
    const offers = offersIn(challenge)
    const buttons = names.map((name) => {
      const offer = offers.get(name)
      const choose = () => (offer?.options ? this.passkey(offer, { watchword_action: 'answer', watchword_choice: name }) : this.respond('-', { watchword_choice: name }))
      return element('button', { type: 'button', dir: 'auto', onclick: choose }, this.nameOf(String(offer?.kind ?? name), name))
    })
    const parts = [element('div', { class: 'ww-stack', role: 'group', 'aria-label': this.text('choose') }, ...buttons), ...this.beside(challenge)]
    const another = () => {
      const username = this.querySelector('input')?.value.trim()
      if (username && username !== this.username) this.begin(username, '')
    }
    this.draw(this.text('choose'), error, another, parts)
    const offered = names.find((name) => offers.get(name)?.options && !offers.get(name)?.enrol)
    if (offered) this.autofill(offered, /** @type {Texts} */ (offers.get(offered)))
  }

  /** Lets the browser propose a passkey in the field of the user name (WebAuthn 3, conditional mediation). @param {string} name @param {Texts} offer */
  async autofill(name, offer) {
    const { signal } = this.stopped
    try {
      if (!(await globalThis.PublicKeyCredential?.isConditionalMediationAvailable?.()) || signal.aborted) return
      const username = this.field({ name: 'username', label: this.text('username'), autocomplete: 'username webauthn', maxlength: 128 }, this.username)
      this.querySelector('form')?.prepend(username.row)
      const answer = await usePasskey(offer.options, false, { signal, mediation: 'conditional' })
      if (!signal.aborted) await this.respond(answer, { watchword_action: 'answer', watchword_choice: name })
    } catch {
      // Nobody took one: the buttons are there.
    }
  }

  /** @param {Texts} challenge @param {SignInError | null} error */
  showPasskey(challenge, error) {
    const submit = () => this.passkey(challenge, {})
    this.draw(this.titleOf(challenge), error, submit, [...this.explained(challenge), this.main(this.text(challenge.enrol ? 'passkey_new' : 'passkey')), ...this.beside(challenge)])
  }

  /** @param {Texts} challenge @param {Texts} metadata */
  async passkey(challenge, metadata) {
    if (this.pending) return
    this.stop()
    const { signal } = this.stopped
    this.busy()
    let answer
    try {
      answer = await usePasskey(challenge.options, !!challenge.enrol, { signal })
    } catch (error) {
      if (signal.aborted) return
      this.pending = false
      return this.failed(new SignInError('passkey_failed', String(error), '', false))
    }
    if (signal.aborted) return
    this.pending = false
    return this.respond(answer, metadata)
  }

  /** @param {Texts} challenge @param {SignInError | null} error */
  async showWork(challenge, error) {
    // What was sent and failed is sent again by the user alone.
    if (error) return this.draw(this.titleOf(challenge), error, () => void this.show(challenge), [this.main(this.text('next')), ...this.beside(challenge)])
    const tries = element('p', { class: 'ww-quiet', 'aria-hidden': 'true' })
    this.draw(this.titleOf(challenge), null, () => {}, [element('p', { role: 'status', class: 'ww-busy' }, this.text('work')), tries, ...this.beside(challenge)])
    const { signal } = this.stopped
    try {
      const { algorithm } = JSON.parse(challenge.challenge).parameters
      const solve = own(this.solvers, String(algorithm).split('/')[0]) ?? solveWork
      const answer = await solve(challenge.challenge, signal, (made) => (tries.textContent = this.text('tries', { tries: String(made) })))
      if (!signal.aborted) await this.respond(answer)
    } catch (problem) {
      if (!signal.aborted) this.failed(problem instanceof SignInError ? problem : new SignInError('broken', String(problem)))
    }
  }

  /** @param {Texts} challenge */
  showUnavailable(challenge) {
    const go = () => this.respond('-')
    this.draw(this.titleOf(challenge), new SignInError('unavailable'), go, [this.main(this.text('next')), ...this.beside({ ref: challenge.ref })])
  }

  /** Cognito's own round for whoever was invited. @param {Texts} challenge @param {SignInError | null} error */
  showNewPassword(challenge, error) {
    const password = this.field({ name: 'password', label: this.text('new_password'), type: 'password', autocomplete: 'new-password', maxlength: 256, help: error?.code === 'weak_password' ? error.message : undefined })
    const wanted = parsed(challenge.requiredAttributes)
    const names = Array.isArray(wanted) ? wanted.filter((each) => typeof each === 'string') : []
    const fields = [password, ...names.map((name) => this.field({ name, label: wordsOf(name.replace(/^userAttributes\./, '')), maxlength: 2048 }))]
    const submit = () => {
      const missing = fields.find((each) => !each.input.value)
      if (missing) return this.point(missing.input, 'missing')
      return this.respond(password.input.value, {}, Object.fromEntries(fields.slice(1).map(({ input }) => [input.name, input.value])))
    }
    const parts = [element('p', {}, this.text('new_password_why')), ...fields.map((each) => each.row), this.main(this.text('next')), ...this.beside({})]
    this.draw(this.text('new_password'), error, submit, parts)
  }

  /** @param {Texts} challenge @returns {HTMLElement[]} what stands below the fields: resend, what is left, the reference */
  beside(challenge) {
    const again = whole(challenge.resend_after)
    const button = again ? element('button', { type: 'button', onclick: () => this.respond('-', { watchword_action: 'resend' }) }) : null
    if (button) {
      const wait = Math.min(again - this.served, LONGEST_STEP)
      const count = () => {
        const seconds = Math.ceil(Math.min(wait, wait + this.came - Date.now() / 1000))
        const waits = seconds > 0
        button.toggleAttribute('disabled', waits)
        button.textContent = waits ? this.text('again_in', { seconds: String(seconds) }) : this.text('again')
        if (!waits) clearInterval(this.ticking)
      }
      this.ticking = setInterval(count, 1000)
      count()
    }
    const restart = element('button', { type: 'button', onclick: () => (this.forget(), this.start()) }, this.text('restart'))
    /** @type {string[]} */
    const facts = []
    if (whole(challenge.attempts_left)) facts.push(this.text('left', { left: challenge.attempts_left }))
    if (challenge.expires_at && this.ends) facts.push(this.text('until', { time: new Intl.DateTimeFormat(this.locale, { timeStyle: 'medium' }).format(this.ends * 1000) }))
    if (challenge.ref) facts.push(this.reference(challenge.ref))
    return [element('div', { class: 'ww-row' }, button, restart), ...facts.map((fact) => element('p', { class: 'ww-quiet' }, fact))]
  }

  /** @param {string} ref */
  reference(ref) {
    return this.text('reference', { ref: `${ref.slice(0, 4)} ${ref.slice(4)}` })
  }

  /** @param {Texts} challenge */
  titleOf(challenge) {
    return challenge.title || this.nameOf(challenge.kind, challenge.step)
  }

  /** @param {string | undefined} kind @param {string | undefined} step */
  nameOf(kind, step) {
    const known = [kind ?? '', step ?? ''].find((each) => each === 'passkey' || KINDS.includes(each))
    return known ? this.text(known === 'passkey' ? 'passkey_kind' : known) : wordsOf(step ?? '')
  }

  /** Returns the key of what is said of *code*: that depends on what the user can do. @param {string} code */
  keyOf(code) {
    const { challenge } = this
    if (code === 'wrong' && this.byLink) return 'link_spent'
    if (code === 'other_browser' && !challenge) return 'link_elsewhere'
    if (code === 'expired' && challenge && !isSent(challenge)) return challenge.image ? 'expired_picture' : 'too_late'
    if (code !== 'unavailable') return code
    return !challenge ? 'unavailable_over' : challenge.attempts_left === '0' ? code : 'try_later'
  }

  /** @param {string} label */
  main(label) {
    return element('button', { type: 'submit', class: 'ww-main' }, label)
  }

  /** @param {Field} field @param {string} value @returns {{row: HTMLElement, input: HTMLInputElement}} */
  field(field, value = '') {
    const id = `${this.idPrefix}-${++numbered}`
    const input = /** @type {HTMLInputElement} */ (
      element('input', {
        id, name: field.name, type: field.type ?? 'text', inputmode: field.inputmode, autocomplete: field.autocomplete ?? 'off', maxlength: field.maxlength, autocapitalize: 'none',
        spellcheck: 'false', dir: 'auto', 'aria-describedby': field.help ? `${id}-help` : undefined, 'aria-required': 'true',
      })
    )
    input.value = value
    const help = field.help ? element('p', { id: `${id}-help`, class: 'ww-quiet', dir: 'auto' }, field.help) : null
    return { row: element('div', {}, element('label', { for: id, dir: 'auto' }, field.label), input, help), input }
  }

  /** Says what is wrong with *input*, and takes the user there. @param {HTMLInputElement} input @param {string} key */
  point(input, key) {
    this.querySelector('.ww-wrong')?.remove()
    const wrong = element('p', { class: 'ww-wrong', role: 'alert', id: `${this.idPrefix}-error` }, this.text(key, { field: input.labels?.[0]?.textContent ?? '' }))
    this.querySelector('form')?.prepend(wrong)
    for (const each of this.querySelectorAll('input')) each.removeAttribute('aria-invalid')
    blame(input, wrong)
    input.focus()
  }

  /** Draws the form anew, and puts the focus where the user goes on. @param {string} title @param {SignInError | null} error @param {() => unknown} submit @param {any[]} parts */
  draw(title, error, submit, parts) {
    const level = Math.min(6, Math.max(1, Number(this.getAttribute('heading-level')) || 2))
    const heading = element(`h${level}`, { class: 'ww-title', id: `${this.idPrefix}-title`, tabindex: '-1', dir: 'auto' }, title)
    const told = this.challenge?.error
    const code = error?.code ?? (told && (TOLD.includes(told) ? told : 'broken'))
    const ref = error?.ref ? ` ${this.reference(error.ref)}` : ''
    const wrong = code ? element('p', { class: 'ww-wrong', role: 'alert', id: `${this.idPrefix}-error` }, this.text(this.keyOf(code), { name: error?.message ?? '' }) + ref) : null
    const form = element('form', { novalidate: true, 'aria-labelledby': heading.id, onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), this.pending || submit()) }, wrong, ...parts)
    // The first form of a page takes nobody away from what they read, nor does a reply that comes while they are elsewhere.
    const active = /** @type {Document | ShadowRoot} */ (this.getRootNode()).activeElement
    const here = this.contains(active) || (this.turn > 0 && (!document.activeElement || document.activeElement === document.body))
    this.setAttribute('dir', RIGHT_TO_LEFT.has(this.locale) ? 'rtl' : 'ltr')
    this.setAttribute('lang', this.locale)
    this.removeAttribute('aria-busy')
    this.replaceChildren(heading, form, element('p', { role: 'status', class: 'ww-quiet ww-status' }))
    const first = /** @type {HTMLInputElement | null} */ (form.querySelector('input'))
    if (wrong && first) blame(first, wrong)
    if (here) (first ?? heading).focus()
  }

  /** Says that a step is being taken. Buttons stay where the focus is; only beginning anew does anything. */
  busy() {
    this.pending = true
    this.setAttribute('aria-busy', 'true')
    clearInterval(this.ticking)
    const status = this.querySelector('.ww-status')
    if (status) status.textContent = this.text('working')
  }

  /** Ends what goes on beside the form. */
  stop() {
    this.stopped.abort()
    this.stopped = new AbortController()
    clearInterval(this.ticking)
  }

  /** Ends the step that is being taken, too: whatever comes of it is too late. */
  cease() {
    this.stop()
    if (this.pending) this.turn++
    this.pending = false
  }
}

/** @param {HTMLInputElement} input @param {HTMLElement} wrong what says why */
function blame(input, wrong) {
  input.setAttribute('aria-invalid', 'true')
  const others = (input.getAttribute('aria-describedby') ?? '').split(' ').filter((each) => each && each !== wrong.id)
  input.setAttribute('aria-describedby', [wrong.id, ...others].join(' '))
}

/** Returns *name* as words. @param {string} name */
function wordsOf(name) {
  const words = name.replace(/_/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

if (globalThis.customElements && !customElements.get('watchword-sign-in')) customElements.define('watchword-sign-in', WatchwordSignIn)
