"""Who gets what from every route. Written by hand, line by line, and never generated: this is the rule, not a record.

    200     the page, or the answer
    in      let in: done, sent on, or told what is missing in what was sent
    login   sent to the sign-in page
    401     not signed in
    403     may not, and is told who can
    404     does not exist for this person; answers exactly as if it did not exist at all

`customer` has opened the private link of their own report, `stranger` that of another report. The word after an
address says which object it is asked for: `restricted` is a bug that the people of this table neither filed nor own,
`mine` one that its filer (the agent) and its owner (the engineer) may see, `absent` does not exist.
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
POST /settings/keys                                      401    401      401      in    in       in   in
POST /settings/password                                  401    401      401      in    in       in   in
POST /settings/sign-ins/<sign_in_id>/ending              401    401      401      404   404      404  404
POST /settings/sign-ins/ending                           401    401      401      in    in       in   in

GET  /admin/people                                       login  login    login    403   403      403  200
POST /admin/people                                       401    401      401      403   403      403  in
POST /admin/people/<user_id>/role                        401    401      401      403   403      403  in
POST /admin/people/<user_id>/disabling                   401    401      401      403   403      403  in
POST /admin/people/<user_id>/enabling                    401    401      401      403   403      403  in
POST /admin/people/<user_id>/link                        401    401      401      403   403      403  in
GET  /admin/workspace                                    login  login    login    403   403      403  200
POST /admin/workspace/<group>                            401    401      401      403   403      403  in
GET  /admin/tokens                                       login  login    login    403   403      403  200
POST /admin/tokens                                       401    401      401      403   403      403  in
POST /admin/tokens/<token_id>/revocation                 401    401      401      403   403      403  in

GET  /board                                              login  login    login    200   200      200  200
GET  /bugs                                               login  login    login    200   200      200  200
GET  /bugs/<ref>                                         login  login    login    200   200      200  200
GET  /bugs/<ref> restricted                              login  login    login    404   404      200  200
GET  /bugs/<ref> mine                                    login  login    login    200   200      200  200
GET  /bugs/<ref> absent                                  login  login    login    404   404      404  404
POST /bugs/<ref>/answer                                  401    401      401      in    in       in   in
POST /bugs/<ref>/answer restricted                       401    401      401      404   404      in   in
POST /bugs/<ref>/assignment                              401    401      401      403   in       in   in
POST /bugs/<ref>/assignment restricted                   401    401      401      403   404      in   in
POST /bugs/<ref>/choices                                 401    401      401      403   in       in   in
POST /bugs/<ref>/choices restricted                      401    401      401      403   404      in   in
POST /bugs/<ref>/workaround                              401    401      401      in    in       in   in
POST /bugs/<ref>/workaround restricted                   401    401      401      404   404      in   in
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
POST /bugs/<ref>/undo                                    401    401      401      403   in       in   in
POST /bugs/<ref>/undo restricted                         401    401      401      403   404      in   in
GET  /bugs/<ref>/fix                                     login  login    login    403   200      200  200
GET  /bugs/<ref>/fix restricted                          login  login    login    403   404      200  200
POST /bugs/<ref>/fix                                     401    401      401      403   in       in   in
POST /bugs/<ref>/fix restricted                          401    401      401      403   404      in   in
GET  /bugs/<ref>/decline                                 login  login    login    403   200      200  200
GET  /bugs/<ref>/decline restricted                      login  login    login    403   404      200  200
POST /bugs/<ref>/decline                                 401    401      401      403   in       in   in
POST /bugs/<ref>/decline restricted                      401    401      401      403   404      in   in
GET  /bugs/<ref>/question                                login  login    login    403   200      200  200
GET  /bugs/<ref>/question restricted                     login  login    login    403   404      200  200
POST /bugs/<ref>/question                                401    401      401      403   in       in   in
POST /bugs/<ref>/question restricted                     401    401      401      403   404      in   in
"""
