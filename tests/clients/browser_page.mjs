// What the page has that the browser tests drive: the functions of amazon-cognito-passwordless-auth, as they are.

import * as api from 'amazon-cognito-passwordless-auth/cognito-api'
import { Passwordless } from 'amazon-cognito-passwordless-auth'
import * as fido2 from 'amazon-cognito-passwordless-auth/fido2'
import * as links from 'amazon-cognito-passwordless-auth/magic-link'
import * as sms from 'amazon-cognito-passwordless-auth/sms-otp-stepup'
import * as srp from 'amazon-cognito-passwordless-auth/srp'
import * as storage from 'amazon-cognito-passwordless-auth/storage'

globalThis.client = { configure: Passwordless.configure, ...api, ...fido2, ...links, ...sms, ...srp, ...storage }
