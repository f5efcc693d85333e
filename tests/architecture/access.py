"""Who gets what from every route. Written by hand, line by line, and never generated: this is the rule, not a record.

    200     the page, or the answer
    in      let in: done, sent on, or told what is missing in what was sent
    login   sent to the sign-in page
    401     not signed in
    403     may not, and is told who can
    404     does not exist for this person; answers exactly as if it did not exist at all
    409     is about another report than the one that this customer's link opens

`customer` has opened the private link of their own report, `stranger` that of another report. The word after an
address says which object it is asked for: `restricted` is a bug that the people of this table neither filed nor own,
`mine` one that its filer (the agent) and its owner (the engineer) may see, `absent` does not exist, and `swapped` is a
customer's link made for something else. Whoever holds a customer's link may use it: it is the right.
"""

PEOPLE = ("nobody", "customer", "stranger", "agent", "engineer", "lead", "admin")

PAGES = """
#                                                        nobody customer stranger agent engineer lead admin

GET  /static/<path:filename>                             200    200      200      200   200      200  200
GET  /                                                   in     in       in       in    in       in   in
GET  /login                                              200    200      200      in    in       in   in
POST /login                                              in     in       in       in    in       in   in
POST /login/sample                                       404    404      404      404   404      404  404
POST /logout                                             in     in       in       in    in       in   in
GET  /password-reset                                     200    200      200      200   200      200  200
POST /password-reset                                     in     in       in       in    in       in   in
GET  /passes/<secret>                                    200    200      200      200   200      200  200
GET  /passes/<secret> absent                             404    404      404      404   404      404  404
POST /passes/<secret>                                    in     in       in       in    in       in   in

GET  /setup                                              in     in       in       in    in       in   in
POST /setup/sample                                       404    404      404      404   404      404  404
GET  /setup/you                                          404    404      404      404   404      404  404
POST /setup/you                                          404    404      404      404   404      404  404
GET  /setup/product                                      login  login    login    403   403      403  200
POST /setup/product                                      401    401      401      403   403      403  in
GET  /setup/duty                                         login  login    login    403   403      403  200
POST /setup/duty                                         401    401      401      403   403      403  in
GET  /setup/mail                                         login  login    login    403   403      403  200
POST /setup/mail/test                                    401    401      401      403   403      403  in
POST /sample/removal                                     401    401      401      403   403      403  in

GET  /settings                                           login  login    login    200   200      200  200
POST /settings/profile                                   401    401      401      in    in       in   in
POST /settings/theme                                     401    401      401      in    in       in   in
POST /settings/density                                   401    401      401      in    in       in   in
POST /settings/keys                                      401    401      401      in    in       in   in
POST /settings/password                                  401    401      401      in    in       in   in
POST /settings/sign-ins/<sign_in_id>/ending              401    401      401      404   404      404  404
POST /settings/sign-ins/ending                           401    401      401      in    in       in   in

GET  /admin/people                                       login  login    login    403   403      403  200
POST /admin/people                                       401    401      401      403   403      403  in
GET  /admin/stand-ins                                    login  login    login    403   403      200  200
POST /admin/people/<user_id>/stand-in                    401    401      401      403   403      in   in
POST /settings/stand-in                                  401    401      401      in    in       in   in
POST /admin/people/<user_id>/role                        401    401      401      403   403      403  in
POST /admin/people/<user_id>/disabling                   401    401      401      403   403      403  in
POST /admin/people/<user_id>/enabling                    401    401      401      403   403      403  in
POST /admin/people/<user_id>/link                        401    401      401      403   403      403  in
GET  /admin/workspace                                    login  login    login    403   403      403  200
POST /admin/workspace/<group>                            401    401      401      403   403      403  in
GET  /admin/mail                                         login  login    login    403   403      403  200
POST /admin/mail/test                                    401    401      401      403   403      403  in
GET  /admin/customer-links                               login  login    login    403   403      403  200
POST /admin/customer-links                               401    401      401      403   403      403  in
GET  /admin/customer-links/<link_id>                     login  login    login    403   403      403  200
GET  /admin/customer-links/<link_id> absent              login  login    login    403   403      403  404
POST /admin/customer-links/<link_id>                     401    401      401      403   403      403  in
POST /admin/customer-links/<link_id> absent              401    401      401      403   403      403  404
POST /admin/customer-links/<link_id>/removal             401    401      401      403   403      403  in
GET  /admin/tokens                                       login  login    login    403   403      403  200
POST /admin/tokens                                       401    401      401      403   403      403  in
POST /admin/tokens/<token_id>/revocation                 401    401      401      403   403      403  in
GET  /admin/texts                                        login  login    login    403   403      200  200
GET  /admin/texts/<kind>/<language>                      login  login    login    403   403      200  200
GET  /admin/texts/<kind>/<language> absent               login  login    login    403   403      404  404
POST /admin/texts/<kind>/<language>                      401    401      401      403   403      in   in
POST /admin/texts/<kind>/<language> absent               401    401      401      403   403      404  404
POST /admin/texts/<kind>/<language>/preview              401    401      401      403   403      200  200
POST /admin/texts/<kind>/<language>/preview absent       401    401      401      403   403      404  404
POST /admin/texts/<kind>/<language>/versions/<version>/recall        401 401 401 403 403 in  in
POST /admin/texts/<kind>/<language>/versions/<version>/recall absent 401 401 401 403 403 404 404
GET  /admin/release-hooks                                login  login    login    403   403      403  200
POST /admin/release-hooks                                401    401      401      403   403      403  in
POST /admin/release-hooks/<hook_id>/revocation           401    401      401      403   403      403  in
POST /admin/release-hooks/<hook_id>/revocation absent    401    401      401      403   403      403  404
GET  /admin/webhooks                                     login  login    login    403   403      200  200
POST /admin/webhooks                                     401    401      401      403   403      in   in
GET  /admin/webhooks/<webhook_id>                        login  login    login    403   403      200  200
GET  /admin/webhooks/<webhook_id> absent                 login  login    login    403   403      404  404
POST /admin/webhooks/<webhook_id>                        401    401      401      403   403      in   in
POST /admin/webhooks/<webhook_id> absent                 401    401      401      403   403      404  404
POST /admin/webhooks/<webhook_id>/secret                 401    401      401      403   403      in   in
POST /admin/webhooks/<webhook_id>/test                   401    401      401      403   403      in   in
POST /admin/webhooks/<webhook_id>/disabling              401    401      401      403   403      in   in
POST /admin/webhooks/<webhook_id>/enabling               401    401      401      403   403      in   in
POST /admin/webhooks/<webhook_id>/removal                401    401      401      403   403      in   in
POST /admin/webhooks/<webhook_id>/removal absent         401    401      401      403   403      404  404
POST /admin/webhooks/<webhook_id>/deliveries/<sending_id>/sending 401 401 401 403 403 in  in
POST /admin/webhooks/<webhook_id>/deliveries/<sending_id>/sending absent 401 401 401 403 403 404 404
POST /hooks/releases/<key>                               401    401      401      401   401      401  401
POST /hooks/releases/<key> absent                        404    404      404      404   404      404  404

# No road in is set up here; with one, whoever does not sign gets 401.
POST /hooks/mail                                         404    404      404      404   404      404  404

GET  /search                                             login  login    login    in    in       in   in
GET  /palette                                            login  login    login    200   200      200  200
GET  /bugs/news                                          login  login    login    200   200      200  200
GET  /duty/queue                                         login  login    login    200   200      200  200
GET  /search/suggestions                                 login  login    login    200   200      200  200
GET  /views                                              login  login    login    200   200      200  200
POST /views                                              401    401      401      in    in       in   in
POST /views/<view_id>                                    401    401      401      403   403      in   in
POST /views/<view_id> mine                               401    401      401      in    404      404  404
POST /views/<view_id> absent                             401    401      401      404   404      404  404
POST /views/<view_id>/rise                               401    401      401      403   403      in   in
POST /views/<view_id>/rise mine                          401    401      401      in    404      404  404
POST /views/<view_id>/rise absent                        401    401      401      404   404      404  404
POST /views/<view_id>/removal                            401    401      401      403   403      in   in
POST /views/<view_id>/removal mine                       401    401      401      in    404      404  404
POST /views/<view_id>/removal absent                     401    401      401      404   404      404  404
GET  /board                                              login  login    login    200   200      200  200
GET  /bugs                                               login  login    login    200   200      200  200
GET  /bugs/<ref>                                         login  login    login    200   200      200  200
GET  /bugs/<ref> restricted                              login  login    login    404   404      200  200
GET  /bugs/<ref> mine                                    login  login    login    200   200      200  200
GET  /bugs/<ref> absent                                  login  login    login    404   404      404  404
GET  /bugs/<ref>/attach/many                             login  login    login    200   200      200  200
GET  /bugs/<ref>/attach/many restricted                  login  login    login    404   404      200  200
POST /bugs/<ref>/attach/many                             401    401      401      in    in       in   in
POST /bugs/<ref>/attach/many restricted                  401    401      401      404   404      in   in
POST /bugs/<ref>/attach/many/<batch>/undo                401    401      401      in    in       in   in
POST /bugs/<ref>/attach/many/<batch>/undo restricted     401    401      401      404   404      in   in
POST /bugs/<ref>/answer                                  401    401      401      in    in       in   in
POST /bugs/<ref>/answer restricted                       401    401      401      404   404      in   in
POST /bugs/many/<verb>                                   401    401      401      403   in       in   in
POST /bugs/many/<verb> absent                            401    401      401      403   404      404  404
POST /bugs/many/assignment                               401    401      401      403   in       in   in
POST /bugs/many/snooze                                   401    401      401      403   in       in   in
POST /bugs/many/raise                                    401    401      401      in    in       in   in
POST /bugs/many/comments                                 401    401      401      in    in       in   in
POST /bugs/many/question                                 401    401      401      403   in       in   in
POST /bugs/many/merge                                    401    401      401      403   in       in   in
POST /bugs/many/fix                                      401    401      401      403   in       in   in
POST /bugs/many/decline                                  401    401      401      403   in       in   in
POST /bugs/many/undo                                     401    401      401      in    in       in   in
GET  /bugs/<ref>/assignment                              login  login    login    403   200      200  200
GET  /bugs/<ref>/assignment restricted                   login  login    login    403   404      200  200
POST /bugs/<ref>/assignment                              401    401      401      403   in       in   in
POST /bugs/<ref>/assignment restricted                   401    401      401      403   404      in   in
GET  /bugs/<ref>/help                                    login  login    login    403   200      200  200
GET  /bugs/<ref>/help restricted                         login  login    login    403   404      200  200
POST /bugs/<ref>/help                                    401    401      401      403   in       in   in
POST /bugs/<ref>/help restricted                         401    401      401      403   404      in   in
POST /bugs/<ref>/choices                                 401    401      401      403   in       in   in
POST /bugs/<ref>/choices restricted                      401    401      401      403   404      in   in
POST /bugs/<ref>/workaround                              401    401      401      in    in       in   in
POST /bugs/<ref>/workaround restricted                   401    401      401      404   404      in   in
POST /bugs/<ref>/publication                             401    401      401      in    in       in   in
POST /bugs/<ref>/publication restricted                  401    401      401      404   404      in   in
POST /bugs/<ref>/publication/removal                     401    401      401      in    in       in   in
POST /bugs/<ref>/publication/removal restricted          401    401      401      404   404      in   in
POST /bugs/<ref>/workaround/telling                      401    401      401      in    in       in   in
POST /bugs/<ref>/workaround/telling restricted           401    401      401      404   404      in   in
POST /reports/<report_id>/confirmation/mail              401    401      401      in    in       in   in
POST /reports/<report_id>/confirmation/mail restricted   401    401      401      404   404      in   in
POST /bugs/<ref>/reproduction                            401    401      401      403   in       in   in
POST /bugs/<ref>/reproduction restricted                 401    401      401      403   404      in   in
POST /bugs/<ref>/restriction                             401    401      401      403   in       in   in
POST /bugs/<ref>/restriction restricted                  401    401      401      403   404      in   in
POST /bugs/<ref>/acceptance                              401    401      401      403   in       in   in
POST /bugs/<ref>/acceptance restricted                   401    401      401      403   404      in   in
POST /bugs/<ref>/work                                    401    401      401      403   in       in   in
POST /bugs/<ref>/work restricted                         401    401      401      403   404      in   in
POST /bugs/<ref>/rest                                    401    401      401      403   in       in   in
POST /bugs/<ref>/rest restricted                         401    401      401      403   404      in   in
POST /bugs/<ref>/reconsideration                         401    401      401      403   in       in   in
POST /bugs/<ref>/reconsideration restricted              401    401      401      403   404      in   in
POST /bugs/<ref>/return                                  401    401      401      403   in       in   in
POST /bugs/<ref>/return restricted                       401    401      401      403   404      in   in
GET  /bugs/<ref>/snooze                                  login  login    login    403   200      200  200
GET  /bugs/<ref>/snooze restricted                       login  login    login    403   404      200  200
POST /bugs/<ref>/snooze                                  401    401      401      403   in       in   in
POST /bugs/<ref>/snooze restricted                       401    401      401      403   404      in   in
POST /bugs/<ref>/waking                                  401    401      401      403   in       in   in
POST /bugs/<ref>/waking restricted                       401    401      401      403   404      in   in
GET  /overlooked                                         login  login    login    403   403      200  200
GET  /snoozed                                            login  login    login    200   200      200  200
GET  /bugs/<ref>/comments                                login  login    login    200   200      200  200
GET  /bugs/<ref>/comments restricted                     login  login    login    404   404      200  200
POST /bugs/<ref>/comments                                401    401      401      in    in       in   in
POST /bugs/<ref>/comments restricted                     401    401      401      404   404      in   in
GET  /bugs/<ref>/comments/<comment_id>                   login  login    login    403   200      403  403
GET  /bugs/<ref>/comments/<comment_id> restricted        login  login    login    404   404      403  403
POST /bugs/<ref>/comments/<comment_id>                   401    401      401      403   in       403  403
POST /bugs/<ref>/comments/<comment_id> restricted        401    401      401      404   404      403  403
POST /bugs/<ref>/comments/<comment_id>/removal           401    401      401      403   in       403  403
POST /bugs/<ref>/comments/<comment_id>/removal restricted 401    401      401      404   404      403  403
POST /bugs/<ref>/links                                   401    401      401      in    in       in   in
POST /bugs/<ref>/links restricted                        401    401      401      404   404      in   in
POST /bugs/<ref>/links/<out_id>/removal                  401    401      401      in    in       in   in
POST /bugs/<ref>/links/<out_id>/removal restricted       401    401      401      404   404      in   in
POST /bugs/<ref>/links/<out_id>/return                   401    401      401      in    in       in   in
POST /bugs/<ref>/links/<out_id>/return restricted        401    401      401      404   404      in   in
GET  /bugs/<ref>/colleagues                              login  login    login    200   200      200  200
GET  /bugs/<ref>/colleagues restricted                   login  login    login    404   404      200  200
GET  /bugs/<ref>/raise                                   login  login    login    200   200      200  200
GET  /bugs/<ref>/raise restricted                        login  login    login    404   404      200  200
POST /bugs/<ref>/raise                                   401    401      401      in    in       in   in
POST /bugs/<ref>/raise restricted                        401    401      401      404   404      in   in
POST /bugs/<ref>/pin                                     401    401      401      403   403      in   in
POST /bugs/<ref>/pin restricted                          401    401      401      403   403      in   in
POST /bugs/<ref>/look                                    401    401      401      403   in       in   in
POST /bugs/<ref>/look restricted                         401    401      401      403   404      in   in
POST /bugs/<ref>/undo/<move_id>                          401    401      401      403   in       in   in
POST /bugs/<ref>/undo/<move_id> restricted               401    401      401      404   404      in   in
GET  /bugs/<ref>/fix                                     login  login    login    403   200      200  200
GET  /bugs/<ref>/fix restricted                          login  login    login    403   404      200  200
POST /bugs/<ref>/fix                                     401    401      401      403   in       in   in
POST /bugs/<ref>/fix restricted                          401    401      401      403   404      in   in
GET  /bugs/<ref>/decline                                 login  login    login    403   200      200  200
GET  /bugs/<ref>/decline restricted                      login  login    login    403   404      200  200
POST /bugs/<ref>/decline                                 401    401      401      403   in       in   in
POST /bugs/<ref>/decline restricted                      401    401      401      403   404      in   in
GET  /bugs/<ref>/merge                                   login  login    login    403   200      200  200
GET  /bugs/<ref>/merge restricted                        login  login    login    403   404      200  200
POST /bugs/<ref>/merge                                   401    401      401      403   in       in   in
POST /bugs/<ref>/merge restricted                        401    401      401      403   404      in   in
POST /bugs/<ref>/separation                              401    401      401      403   in       in   in
POST /bugs/<ref>/separation restricted                   401    401      401      403   404      in   in
GET  /reports/<report_id>/split                          login  login    login    403   200      200  200
GET  /reports/<report_id>/split restricted               login  login    login    403   404      200  200
GET  /reports/<report_id>/split absent                   login  login    login    403   404      404  404
POST /reports/<report_id>/split                          401    401      401      403   in       in   in
POST /reports/<report_id>/split restricted               401    401      401      403   404      in   in
POST /reports/<report_id>/split absent                   401    401      401      403   404      404  404
POST /bugs/<ref>/split/undo                              401    401      401      403   in       in   in
POST /bugs/<ref>/split/undo restricted                   401    401      401      403   404      in   in
GET  /bugs/<ref>/question                                login  login    login    403   200      200  200
GET  /bugs/<ref>/question restricted                     login  login    login    403   404      200  200
POST /bugs/<ref>/question                                401    401      401      403   in       in   in
POST /bugs/<ref>/question restricted                     401    401      401      403   404      in   in

GET  /new                                                login  login    login    200   200      200  200
POST /new                                                401    401      401      in    in       in   in
POST /new restricted                                     401    401      401      404   404      in   in
GET  /new/platform                                       login  login    login    200   200      200  200
GET  /new/similar                                        login  login    login    200   200      200  200
POST /new/similar                                        401    401      401      in    in       in   in
POST /new/similar restricted                             401    401      401      404   404      in   in
GET  /new/files                                          login  login    login    200   200      200  200
POST /new/files                                          401    401      401      in    in       in   in
POST /new/files/<attachment_id>/removal                  401    401      401      404   404      404  404
POST /new/files/<attachment_id>/removal absent           401    401      401      404   404      404  404
POST /new/masking                                        401    401      401      in    in       in   in
POST /drafts                                             401    401      401      in    in       in   in
POST /drafts/<draft_id>/removal                          401    401      401      404   404      404  404
POST /drafts/<draft_id>/removal mine                     401    401      401      in    404      404  404
POST /drafts/<draft_id>/removal absent                   401    401      401      404   404      404  404
POST /drafts/<draft_id>/return                           401    401      401      404   404      404  404
POST /drafts/<draft_id>/return mine                      401    401      401      in    404      404  404
POST /drafts/<draft_id>/return absent                    401    401      401      404   404      404  404
GET  /attachments/<attachment_id>                        login  login    login    200   200      200  200
GET  /attachments/<attachment_id> restricted             login  login    login    404   404      200  200
GET  /attachments/<attachment_id> mine                   login  login    login    200   200      200  200
GET  /attachments/<attachment_id> absent                 login  login    login    404   404      404  404
GET  /attachments/<attachment_id>/thumbnail              login  login    login    200   200      200  200
GET  /attachments/<attachment_id>/thumbnail restricted   login  login    login    404   404      200  200
GET  /attachments/<attachment_id>/thumbnail mine         login  login    login    200   200      200  200
GET  /attachments/<attachment_id>/thumbnail absent       login  login    login    404   404      404  404
GET  /bugs/<ref>/attach                                  login  login    login    200   200      200  200
GET  /bugs/<ref>/attach restricted                       login  login    login    404   404      200  200
POST /bugs/<ref>/attach                                  401    401      401      in    in       in   in
POST /bugs/<ref>/attach restricted                       401    401      401      404   404      in   in
GET  /bugs/<ref>/filed                                   login  login    login    200   200      200  200
GET  /bugs/<ref>/filed restricted                        login  login    login    404   404      200  200
GET  /customers                                          login  login    login    200   200      200  200
GET  /customers.csv                                      login  login    login    200   403      200  200
GET  /customers/import                                   login  login    login    200   403      200  200
POST /customers/import                                   401    401      401      in    403      in   in
GET  /customers/suggestions                              login  login    login    200   200      200  200
GET  /customers/<customer_id>                            login  login    login    200   200      200  200
GET  /customers/<customer_id> absent                     login  login    login    404   404      404  404
GET  /customers/<customer_id>/history                     login  login    login    200   200      200  200
GET  /customers/<customer_id>/history absent              login  login    login    404   404      404  404
GET  /customers/<customer_id>/details                    login  login    login    200   200      200  200
GET  /customers/<customer_id>/details absent             login  login    login    404   404      404  404
POST /customers/<customer_id>/details                    401    401      401      in    in       in   in
POST /customers/<customer_id>/details absent             401    401      401      404   404      404  404
POST /customers/<customer_id>/notes                      401    401      401      in    in       in   in
POST /customers/<customer_id>/notes absent               401    401      401      404   404      404  404
POST /customers/<customer_id>/mail                       401    401      401      in    in       in   in
POST /customers/<customer_id>/mail absent                401    401      401      404   404      404  404
GET  /accounts                                           login  login    login    200   200      200  200
GET  /accounts/suggestions                               login  login    login    200   200      200  200
GET  /accounts/<account_id>                              login  login    login    200   200      200  200
GET  /accounts/<account_id> absent                       login  login    login    404   404      404  404
GET  /accounts/<account_id>/details                      login  login    login    200   200      200  200
GET  /accounts/<account_id>/details absent               login  login    login    404   404      404  404
POST /accounts/<account_id>/details                      401    401      401      in    in       in   in
POST /accounts/<account_id>/details absent               401    401      401      404   404      404  404
POST /accounts/<account_id>/notes                        401    401      401      in    in       in   in
POST /accounts/<account_id>/notes absent                 401    401      401      404   404      404  404
GET  /customers/<customer_id>/merging                    login  login    login    200   200      200  200
GET  /customers/<customer_id>/merging absent             login  login    login    404   404      404  404
POST /customers/<customer_id>/merging                    401    401      401      in    in       in   in
POST /customers/<customer_id>/merging absent             401    401      401      404   404      404  404
GET  /accounts/<account_id>/merging                      login  login    login    200   200      200  200
GET  /accounts/<account_id>/merging absent               login  login    login    404   404      404  404
POST /accounts/<account_id>/merging                      401    401      401      in    in       in   in
POST /accounts/<account_id>/merging absent               401    401      401      404   404      404  404
GET  /customers/<customer_id>/data.json                  login  login    login    403   403      403  200
GET  /customers/<customer_id>/data.json absent           login  login    login    403   403      403  404
GET  /customers/<customer_id>/erasure                    login  login    login    403   403      403  200
GET  /customers/<customer_id>/erasure absent             login  login    login    403   403      403  404
POST /customers/<customer_id>/erasure                    401    401      401      403   403      403  in
POST /customers/<customer_id>/erasure absent             401    401      401      403   403      403  404
POST /customer-notes/<note_id>/removal                   401    401      401      in    in       in   in
POST /customer-notes/<note_id>/removal absent            401    401      401      404   404      404  404
POST /reports/<report_id>/tellings/<event_id>/undo       401    401      401      in    in       in   in
POST /reports/<report_id>/tellings/<event_id>/undo restricted 401    401      401      404   404      in   in
GET  /reports/<report_id>/withdrawal                     login  login    login    200   200      200  200
GET  /reports/<report_id>/withdrawal restricted          login  login    login    404   404      200  200
POST /reports/<report_id>/withdrawal                     401    401      401      in    in       in   in
POST /reports/<report_id>/withdrawal restricted          401    401      401      404   404      in   in

GET  /admin/catalogue                                    login  login    login    403   403      in   in
GET  /admin/catalogue/<name>                             login  login    login    403   403      200  200
GET  /admin/catalogue/<name> absent                      login  login    login    403   403      404  404
POST /admin/catalogue/<name>                             401    401      401      403   403      in   in
GET  /admin/catalogue/<name>/<option_id>                 login  login    login    403   403      200  200
GET  /admin/catalogue/<name>/<option_id> absent          login  login    login    403   403      404  404
POST /admin/catalogue/<name>/<option_id>                 401    401      401      403   403      in   in
POST /admin/catalogue/<name>/<option_id>/retirement      401    401      401      403   403      in   in
POST /admin/catalogue/<name>/<option_id>/offer           401    401      401      403   403      in   in
GET  /admin/rules                                        login  login    login    403   403      200  200
POST /admin/rules                                        401    401      401      403   403      in   in
POST /admin/rules/<rule_id>/ending                       401    401      401      403   403      in   in
POST /admin/rules/<rule_id>/ending absent                401    401      401      403   403      404  404
GET  /admin/catalogue/use                                login  login    login    403   403      200  200
GET  /admin/catalogue/lists                              login  login    login    403   403      200  200
POST /admin/catalogue/lists                              401    401      401      403   403      in   in
GET  /admin/catalogue/lists/<list_name>                  login  login    login    403   403      200  200
GET  /admin/catalogue/lists/<list_name> absent           login  login    login    403   403      404  404
POST /admin/catalogue/lists/<list_name>                  401    401      401      403   403      in   in
POST /admin/catalogue/lists/<list_name> absent           401    401      401      403   403      404  404
GET  /admin/catalogue/lists/<list_name>/history      login  login    login    403   403      200  200
GET  /admin/catalogue/lists/<list_name>/history absent login login   login    403   403      404  404
POST /admin/catalogue/lists/<list_name>/rise             401    401      401      403   403      in   in
POST /admin/catalogue/lists/<list_name>/retirement       401    401      401      403   403      in   in
POST /admin/catalogue/lists/<list_name>/offer            401    401      401      403   403      in   in
GET  /admin/catalogue/proposals                          login  login    login    403   403      200  200
GET  /admin/catalogue/proposals/<option_id>              login  login    login    403   403      200  200
GET  /admin/catalogue/proposals/<option_id> absent       login  login    login    403   403      404  404
POST /admin/catalogue/proposals/<option_id>/acceptance   401    401      401      403   403      in   in
POST /admin/catalogue/proposals/<option_id>/alias        401    401      401      403   403      in   in
POST /admin/catalogue/proposals/<option_id>/decline      401    401      401      403   403      in   in
POST /admin/catalogue/<name>/pack                        401    401      401      403   403      in   in
POST /admin/catalogue/<name>/pack absent                 401    401      401      403   403      404  404
GET  /admin/catalogue/<name>/import                      login  login    login    403   403      200  200
GET  /admin/catalogue/<name>/import absent               login  login    login    403   403      404  404
POST /admin/catalogue/<name>/import                      401    401      401      403   403      in   in
POST /admin/catalogue/<name>/import absent               401    401      401      403   403      404  404
GET  /admin/catalogue/<name>/<option_id>/history         login  login    login    403   403      200  200
GET  /admin/catalogue/<name>/<option_id>/history absent  login  login    login    403   403      404  404
POST /admin/catalogue/<name>/<option_id>/place           401    401      401      403   403      in   in
GET  /admin/catalogue/<name>/<option_id>/merge           login  login    login    403   403      200  200
GET  /admin/catalogue/<name>/<option_id>/merge absent    login  login    login    403   403      404  404
POST /admin/catalogue/<name>/<option_id>/merge           401    401      401      403   403      in   in
POST /admin/catalogue/merges/<merge_id>/undoing          401    401      401      403   403      in   in
POST /admin/catalogue/merges/<merge_id>/undoing absent   401    401      401      403   403      404  404
GET  /admin/catalogue/form                               login  login    login    403   403      200  200
POST /admin/catalogue/form                               401    401      401      403   403      in   in
GET  /admin/catalogue/form.yml                           login  login    login    403   403      200  200

GET  /duty                                               login  login    login    200   200      200  200
GET  /duty/schedule                                      login  login    login    200   200      200  200
GET  /duty/improvements                                  login  login    login    200   200      200  200
POST /duty/improvements                                  401    401      401      403   in       in   in
POST /duty/improvements/<improvement_id>/ending          401    401      401      403   in       in   in
POST /duty/improvements/<improvement_id>/ending absent   401    401      401      403   404      404  404
POST /duty/improvements/<improvement_id>/return          401    401      401      403   in       in   in
POST /duty/improvements/<improvement_id>/return absent   401    401      401      403   404      404  404
GET  /duty/feeds                                         login  login    login    200   200      200  200
POST /duty/feeds                                         401    401      401      in    in       in   in
POST /duty/feeds/<feed_id>/removal                       401    401      401      404   404      in   404
POST /duty/feeds/<feed_id>/removal absent                401    401      401      404   404      404  404
GET  /cal/<secret>.ics                                   200    200      200      200   200      200  200
GET  /cal/<secret>.ics absent                            404    404      404      404   404      404  404
GET  /duty/fairness                                      login  login    login    200   200      200  200
GET  /duty/me                                            login  login    login    200   200      200  200
POST /duty/absences                                      401    401      401      in    in       in   in
POST /duty/calendar                                      401    401      401      403   in       in   in
POST /duty/calendar/removal                              401    401      401      403   404      404  404
GET  /duty/absences/import                               login  login    login    403   403      200  200
POST /duty/absences/import                               401    401      401      403   403      in   in
GET  /duty/absences/<absence_id>                         login  login    login    404   404      200  200
GET  /duty/absences/<absence_id> absent                  login  login    login    404   404      404  404
POST /duty/absences/<absence_id>                         401    401      401      404   404      in   in
POST /duty/absences/<absence_id> absent                  401    401      401      404   404      404  404
POST /duty/absences/<absence_id>/removal                 401    401      401      404   404      in   in
POST /duty/absences/<absence_id>/removal absent          401    401      401      404   404      404  404
GET  /duty/rotations/<rotation_id>/holidays              login  login    login    403   403      200  200
GET  /duty/rotations/<rotation_id>/holidays absent       login  login    login    403   403      404  404
POST /duty/rotations/<rotation_id>/holidays              401    401      401      403   403      in   in
POST /duty/rotations/<rotation_id>/holidays absent       401    401      401      403   403      404  404
POST /duty/holidays/<holiday_id>/removal                 401    401      401      403   403      in   in
POST /duty/holidays/<holiday_id>/removal absent          401    401      401      403   403      404  404
POST /duty/holidays/<holiday_id>/return                  401    401      401      403   403      in   in
POST /duty/holidays/<holiday_id>/return absent           401    401      401      403   403      404  404
GET  /duty/plan                                          login  login    login    403   403      200  200
POST /duty/plan                                          401    401      401      403   403      in   in
POST /duty/overrides                                     401    401      401      403   in       in   in
POST /duty/overrides/<override_id>/removal               401    401      401      403   403      in   in
POST /duty/overrides/<override_id>/removal absent        401    401      401      403   404      404  404
GET  /duty/rotations/<rotation_id>/shift                 login  login    login    200   200       200  200
GET  /duty/rotations/<rotation_id>/shift absent          login  login    login    404   404       404  404
POST /duty/rotations/<rotation_id>/takings               401    401      401      403   in        in   in
POST /duty/rotations/<rotation_id>/takings absent        401    401      401      403   404       404  404
POST /duty/rotations/<rotation_id>/handovers             401    401      401      403   in        in   in
POST /duty/rotations/<rotation_id>/handovers absent      401    401      401      403   404       404  404
POST /duty/rotations/<rotation_id>/swaps                 401    401      401      403   in        in   in
POST /duty/rotations/<rotation_id>/swaps absent          401    401      401      403   404       404  404
GET  /duty/swaps/<swap_id>                               login  login    login    200   200       200  200
GET  /duty/swaps/<swap_id> absent                        login  login    login    404   404       404  404
POST /duty/swaps/<swap_id>/acceptance                    401    401      401      403   in        in   in
POST /duty/swaps/<swap_id>/acceptance absent             401    401      401      403   404       404  404
POST /duty/swaps/<swap_id>/refusal                       401    401      401      403   in        403  403
POST /duty/swaps/<swap_id>/refusal absent                401    401      401      403   404       404  404
POST /duty/swaps/<swap_id>/trade                         401    401      401      403   in        in   in
POST /duty/swaps/<swap_id>/trade absent                  401    401      401      403   404       404  404
POST /duty/swaps/<swap_id>/removal                       401    401      401      403   403       in   in
POST /duty/swaps/<swap_id>/removal absent                401    401      401      403   404       404  404
POST /duty/trades/<asked_id>/acceptance                  401    401      401      403   403       in   in
POST /duty/trades/<asked_id>/acceptance absent           401    401      401      403   404       404  404
POST /duty/trades/<asked_id>/refusal                     401    401      401      403   403       in   in
POST /duty/trades/<asked_id>/refusal absent              401    401      401      403   404       404  404
GET  /duty/areas                                         login  login    login    403   403      200  200
POST /duty/areas                                         401    401      401      403   403      in   in
GET  /duty/handoff                                       login  login    login    403   200      in   in
POST /duty/handoff                                       401    401      401      403   in       in   in
POST /duty/handoff/quiet                                 401    401      401      403   in       in   in
GET  /duty/handoffs                                      login  login    login    200   200      200  200
POST /duty/handoffs/<handoff_id>/removal                 401    401      401      403   403      403  403
POST /duty/handoffs/<handoff_id>/removal absent          401    401      401      403   404      404  404
POST /duty/handoffs/<handoff_id>/reading                 401    401      401      403   in       403  403
POST /duty/handoffs/<handoff_id>/reading absent          401    401      401      403   404      404  404
POST /duty/left/<left_id>/removal                        401    401      401      403   in       in   in
POST /duty/left/<left_id>/removal restricted             401    401      401      403   404      in   in
POST /duty/left/<left_id>/removal absent                 401    401      401      403   404      404  404
GET  /duty/rotations/new                                 login  login    login    403   403      200  200
POST /duty/rotations                                     401    401      401      403   403      in   in
GET  /duty/rotations/<rotation_id>/rule                  login  login    login    403   403      200  200
GET  /duty/rotations/<rotation_id>/rule absent           login  login    login    403   403      404  404
GET  /duty/rotations/<rotation_id>/import                login  login    login    403   403      200  200
GET  /duty/rotations/<rotation_id>/import absent         login  login    login    403   403      404  404
POST /duty/rotations/<rotation_id>/import                401    401      401      403   403      in   in
POST /duty/rotations/<rotation_id>/import absent         401    401      401      403   403      404  404
GET  /duty/rotations/<rotation_id>/channel               login  login    login    403   403      200  200
GET  /duty/rotations/<rotation_id>/channel absent        login  login    login    403   403      404  404
POST /duty/rotations/<rotation_id>/channel               401    401      401      403   403      in   in
POST /duty/rotations/<rotation_id>/channel absent        401    401      401      403   403      404  404
POST /duty/rotations/<rotation_id>/channel/test          401    401      401      403   403      404  404
POST /duty/rotations/<rotation_id>/channel/removal       401    401      401      403   403      404  404
POST /duty/rotations/<rotation_id>/rules                 401    401      401      403   403      in   in

GET  /mine                                               login  login    login    200   200      200  200
GET  /loop                                               login  login    login    200   200      200  200
GET  /loop/ledger                                        login  login    login    200   200      200  200
GET  /loop/ledger.csv                                    login  login    login    200   200      200  200
GET  /loop/never-told                                    login  login    login    200   200      200  200
POST /loop/never-told                                    401    401      401      in    in       in   in
GET  /loop/<announcement_id>                             login  login    login    200   200      200  200
GET  /loop/<announcement_id> restricted                  login  login    login    404   404      200  200
GET  /loop/<announcement_id> absent                      login  login    login    404   404      404  404
POST /loop/<announcement_id>/sending                     401    401      401      in    in       in   in
POST /loop/<announcement_id>/sending restricted          401    401      401      404   404      in   in
POST /loop/<announcement_id>/sending/undoing             401    401      401      in    in       in   in
POST /loop/<announcement_id>/sending/undoing restricted  401    401      401      404   404      in   in
POST /loop/<announcement_id>/hold                        401    401      401      in    in       in   in
POST /loop/<announcement_id>/hold restricted             401    401      401      404   404      in   in
POST /loop/<announcement_id>/resumption                  401    401      401      in    in       in   in
POST /loop/<announcement_id>/resumption restricted       401    401      401      404   404      in   in
POST /loop/<announcement_id>/wording                     401    401      401      in    in       in   in
POST /loop/<announcement_id>/wording restricted          401    401      401      404   404      in   in
POST /loop/<announcement_id>/wording/undoing             401    401      401      in    in       in   in
POST /loop/<announcement_id>/wording/undoing restricted  401    401      401      404   404      in   in
POST /loop/<announcement_id>/notes                       401    401      401      in    in       in   in
POST /loop/<announcement_id>/notes restricted            401    401      401      404   404      in   in
POST /loop/messages/<message_id>/telling                 401    401      401      in    in       in   in
POST /loop/messages/<message_id>/telling restricted      401    401      401      404   404      in   in
POST /loop/messages/<message_id>/suppression             401    401      401      in    in       in   in
POST /loop/messages/<message_id>/suppression restricted  401    401      401      404   404      in   in
POST /loop/messages/<message_id>/line                    401    401      401      in    in       in   in
POST /loop/messages/<message_id>/line restricted         401    401      401      404   404      in   in
POST /loop/messages/<message_id>/release                 401    401      401      in    in       in   in
POST /loop/messages/<message_id>/release restricted      401    401      401      404   404      in   in
POST /loop/messages/<message_id>/judgement               401    401      401      in    in       in   in
POST /loop/messages/<message_id>/judgement restricted    401    401      401      404   404      in   in
POST /loop/messages/<message_id>/repeat                  401    401      401      in    in       in   in
POST /loop/messages/<message_id>/repeat restricted       401    401      401      404   404      in   in
POST /loop/restored/release                              401    401      401      in    in       in   in
POST /loop/notices/<delivery_id>/release                 401    401      401      403   403      in   in
POST /loop/notices/<delivery_id>/release absent          401    401      401      403   403      404  404
POST /loop/notices/<delivery_id>/cancellation            401    401      401      403   403      in   in
POST /loop/notices/<delivery_id>/cancellation absent     401    401      401      403   403      404  404
POST /reports/<report_id>/link                           401    401      401      in    in       in   in
POST /reports/<report_id>/link restricted                401    401      401      404   404      in   in
POST /reports/<report_id>/link absent                    401    401      401      404   404      404  404
GET  /releases                                           login  login    login    200   200      200  200
POST /releases                                           401    401      401      403   in       in   in
POST /releases/<option_id>/withdrawal                    401    401      401      403   in       in   in

GET  /s                                                  in     in       in       in    in       in   in
GET  /s/<language>                                       200    200      200      200   200      200  200
GET  /s/<language> absent                                404    404      404      404   404      404  404
GET  /s/<language>/known.atom                            404    404      404      404   404      404  404
GET  /s/<language>/known.atom absent                     404    404      404      404   404      404  404
GET  /s/<language>/r/<token>                             in     in       in       in    in       in   in
GET  /s/<language>/r/<token> absent                      404    404      404      404   404      404  404
GET  /s/<language>/r/<token> swapped                     404    404      404      404   404      404  404
GET  /s/<language>/report                                404    200      200      404   404      404  404
POST /s/<language>/report/confirmation                   404    in       409      404   404      404  404
POST /s/<language>/report/objection                      404    in       409      404   404      404  404
POST /s/<language>/report/parting                        404    in       409      404   404      404  404
POST /s/<language>/report/mail                           404    in       409      404   404      404  404
POST /s/<language>/report/remarks                        404    in       409      404   404      404  404
POST /s/<language>/report/answer                         404    in       409      404   404      404  404
GET  /s/<language>/unsubscribe/<token>                   200    200      200      200   200      200  200
GET  /s/<language>/unsubscribe/<token> absent            404    404      404      404   404      404  404
GET  /s/<language>/unsubscribe/<token> swapped           404    404      404      404   404      404  404
POST /s/<language>/unsubscribe/<token>                   200    200      200      200   200      200  200
POST /s/<language>/unsubscribe/<token> absent            404    404      404      404   404      404  404
POST /s/<language>/unsubscribe/<token> swapped           404    404      404      404   404      404  404
POST /s/<language>/subscription/<token>                  200    200      200      200   200      200  200
POST /s/<language>/subscription/<token> swapped          404    404      404      404   404      404  404

# No worker runs behind these tests, and /healthz says so.
GET  /healthz                                            503    503      503      503   503      503  503
GET  /api/docs                                           200    200      200      200   200      200  200
GET  /api/v1/openapi.json                                200    200      200      200   200      200  200
"""

# Programs. `cookie` is an admin's browser without a token: the API opens nothing for it. `revoked` was an admin's token
# with every scope, `disabled` is that of a person disabled since. The next five are an admin's, with one scope each;
# `agent` and `engineer` are theirs, with every scope.
PROGRAMS = (
    *("nobody", "cookie", "revoked", "disabled"),
    *("read", "reports:write", "bugs:write", "releases:write", "announcements:write"),
    *("agent", "engineer"),
)

API = """
#                                                         nob  cook rev  dis  read rep  bugs rel  ann  agt  eng

GET  /api/v1/catalogue                                    401  401  401  401  200  403  403  403  403  200  200
POST /api/v1/reports                                      401  401  401  401  403  in   403  403  403  in   in
POST /api/v1/reports restricted                           401  401  401  401  403  in   403  403  403  404  404
GET  /api/v1/bugs                                         401  401  401  401  200  403  403  403  403  200  200
GET  /api/v1/bugs/<ref>                                   401  401  401  401  200  403  403  403  403  200  200
GET  /api/v1/bugs/<ref> restricted                        401  401  401  401  200  403  403  403  403  404  404
GET  /api/v1/bugs/<ref> mine                              401  401  401  401  200  403  403  403  403  200  200
GET  /api/v1/bugs/<ref> absent                            401  401  401  401  404  403  403  403  403  404  404
POST /api/v1/bugs/<ref>/transitions                       401  401  401  401  403  403  in   403  403  403  in
POST /api/v1/bugs/<ref>/transitions restricted            401  401  401  401  403  403  in   403  403  403  404
POST /api/v1/bugs/<ref>/merge                             401  401  401  401  403  403  in   403  403  403  in
POST /api/v1/bugs/<ref>/merge restricted                  401  401  401  401  403  403  in   403  403  403  404
DELETE /api/v1/bugs/<ref>/merge                           401  401  401  401  403  403  in   403  403  403  in
DELETE /api/v1/bugs/<ref>/merge restricted                401  401  401  401  403  403  in   403  403  403  404
GET  /api/v1/similar                                      401  401  401  401  in   403  403  403  403  in   in
GET  /api/v1/duty                                         401  401  401  401  200  403  403  403  403  200  200
GET  /api/v1/duty/shifts                                  401  401  401  401  in   403  403  403  403  in   in
POST /api/v1/releases                                     401  401  401  401  403  403  403  in   403  403  in
GET  /api/v1/announcements                                401  401  401  401  200  403  403  403  403  200  200
POST /api/v1/announcements/<announcement_id>/sending      401  401  401  401  403  403  403  403  in   in   in
POST /api/v1/announcements/<announcement_id>/sending restricted 401  401  401  401  403  403  403  403  in   404  404
GET  /api/v1/messages                                     401  401  401  401  200  403  403  403  403  200  200
"""
